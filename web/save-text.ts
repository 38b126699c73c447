// Saving a text that this page made as a file.

/** Offers the text as a download; signs that no file system takes become hyphens. */
export function saveText(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: `${type};charset=utf-8` }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name.replace(/[^\p{L}\p{N} ._-]/gu, '-');
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(url), 1_000);
}
