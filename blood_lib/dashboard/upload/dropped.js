// What files are: those in what was dropped on the page, folders walked; and whether one is a review or a model.

const TAIL = 70_000; // bytes at the end of a ZIP file, where the names in it stand

/** Whether these files are one saved review or one model. Python looks closer; here it decides what is asked first. */
export async function opensWhole(files) {
  if (files.length !== 1 || !files[0].file || !/\.zip$/i.test(files[0].name)) return false;
  const tail = await files[0].file.slice(-TAIL).text().catch(() => "");
  return /(review|bundle)\.json/.test(tail);
}

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
