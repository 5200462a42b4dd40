// Pictures from Python.

/** A blob URL for bytes from Python (a DataView), or "" for none. */
export function pictureUrl(view, type) {
  if (!view || !view.byteLength) return "";
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return URL.createObjectURL(new Blob([bytes], { type }));
}
