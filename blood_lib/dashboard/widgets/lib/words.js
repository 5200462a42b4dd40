// What a widget writes: its sentences with values filled in, and numbers in the format of its language.

/** `text`: the sentences by name. Returns them with the functions that fill and format. */
export function createWords(text, language) {
  /** A number with so many decimals. */
  function number(n, digits = 0) {
    return n.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  }

  /** "{n} of {total}" with the values filled in; numbers with separators. */
  function fill(sentence, values = {}) {
    return (sentence ?? "").replace(/\{(\w+)\}/g, (whole, name) => {
      const value = values[name];
      if (value === undefined) return whole;
      return typeof value === "number" ? number(value) : String(value);
    });
  }

  /** The sentence for a count: its singular where there is one. */
  function count(name, n) {
    return fill((n === 1 && text[`${name}.one`]) || text[name], { n });
  }

  /** A probability: "100 %" and "0 %" stand for exactly these, never for values close to them. */
  function percent(p, digits = 0) {
    const step = 10 ** -digits / 100;
    const shown = (share) => `${number(100 * share, digits)} %`;
    if (p >= 1 - step / 2 && p < 1) return `> ${shown(1 - step)}`;
    if (p < step / 2 && p > 0) return `< ${shown(step)}`;
    return shown(p);
  }

  return { text, number, fill, count, percent };
}
