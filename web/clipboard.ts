// Copying text, also on pages that came by http, where `navigator.clipboard` does not exist.

/** Copies the text; `near` is the pressed button (an open dialog makes the rest of the page inert). Answers whether it worked. */
export async function copyText(text: string, near: HTMLElement): Promise<boolean> {
  if (window.isSecureContext && 'clipboard' in navigator) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // refused by the browser: the old way may still work
    }
  }
  return copyBySelection(text, near);
}

function copyBySelection(text: string, near: HTMLElement): boolean {
  const area = document.createElement('textarea');
  area.value = text;
  area.readOnly = true;
  area.style.cssText = 'position:fixed;opacity:0;inset:0 auto auto 0;';
  (near.closest('dialog') ?? document.body).append(area);
  area.select();
  try {
    return document.execCommand('copy');
  } finally {
    area.remove();
    near.focus();
  }
}
