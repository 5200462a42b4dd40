// The files in what was dropped on the page, folders walked.

/** [{name, file}, ...], at most about `most`; file is null where it cannot be read. Names in `clutter` are passed over. */
export async function readDropped(transferred, most, clutter) {
  const entries = [...transferred.items].map((item) => item.webkitGetAsEntry?.());
  if (entries.some((entry) => !entry)) return [...transferred.files].map((file) => ({ name: file.name, file }));
  const found = [];
  for (const entry of entries) await walk(entry);
  return found;

  async function walk(entry) {
    if (found.length > most || clutter.includes(entry.name) || entry.name.startsWith("._")) return;
    const name = entry.fullPath.replace(/^\//, "");
    if (entry.isFile) {
      try {
        found.push({ name, file: await new Promise((yes, no) => entry.file(yes, no)) });
      } catch {
        found.push({ name, file: null });
      }
      return;
    }
    const reader = entry.createReader();
    for (;;) {
      const some = await new Promise((yes, no) => reader.readEntries(yes, no)).catch(() => []);
      if (!some.length) return;
      some.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const child of some) await walk(child);
    }
  }
}
