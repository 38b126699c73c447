// The frame of the pages that the server writes itself, without scripts: help, imprint and privacy, and the description of the HTTP interface.

import { escapeHtml } from './html.ts';

type Parts = {
  readonly title: string;
  /** Address of `plainCss`, as seen from the page. */
  readonly css: string;
  /** HTML, safe already. */
  readonly body: string;
  readonly links?: readonly { readonly href: string; readonly label: string; readonly isHere: boolean }[];
};

/** A whole page. */
export const plainPage = ({ title, css, body, links = [] }: Parts): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} · Arboretum</title>
<link rel="icon" href="/icon.svg">
<link rel="stylesheet" href="${css}">
<header><a class="brand" href="/">Arboretum</a>${links.length === 0 ? '' : `<nav aria-label="Help">${links.map(linkOf).join('')}</nav>`}</header>
<main>
${body}
</main>
</html>
`;

const linkOf = ({ href, label, isHere }: { href: string; label: string; isHere: boolean }): string =>
  `<a href="${escapeHtml(href)}"${isHere ? ' aria-current="page"' : ''}>${escapeHtml(label)}</a>`;

/** Style of those pages: the colours of the dashboard. */
export const plainCss = `:root{color-scheme:light dark;--paper:#f7f6f1;--surface:#fff;--ink:#1f2a24;--moss:#2f6b4f;--stone:#5c6660;--line:#dcdcd4}
@media(prefers-color-scheme:dark){:root{--paper:#141a17;--surface:#1b221e;--ink:#e6ece8;--moss:#7fc8a2;--stone:#a9b4ad;--line:#323c36}}
body{background:var(--paper);color:var(--ink);font:16px/1.6 system-ui,sans-serif;margin:0}
header{display:flex;flex-wrap:wrap;gap:.5rem 1.25rem;align-items:baseline;padding:.9rem 1.5rem;border-bottom:1px solid var(--line);background:var(--surface)}
header nav{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem}header a{text-decoration:none}header a[aria-current]{color:var(--ink);font-weight:600}
.brand{font-weight:700;color:var(--ink)}
main{max-width:48rem;margin:auto;padding:1rem 1.5rem 4rem}
h1{font-size:1.7rem;line-height:1.25;margin:1.5rem 0 .5rem}h2{font-size:1.15rem;margin:2rem 0 .4rem;scroll-margin-top:1rem}h2:target{border-left:4px solid var(--moss);padding-left:.6rem}
h2 code{font-size:1rem}p,ul,ol,table,pre{margin:.5rem 0}li{margin:.2rem 0}
a,summary{color:var(--moss)}a:focus-visible,summary:focus-visible{outline:2px solid var(--moss);outline-offset:2px}
code{font:.875em ui-monospace,Menlo,Consolas,monospace}pre{overflow:auto;padding:.7rem .9rem;background:var(--surface);border:1px solid var(--line);border-radius:.4rem}
main img{max-width:100%;height:auto;border:1px solid var(--line);border-radius:.4rem}h2 code{overflow-wrap:anywhere}.wide{overflow-x:auto}table{border-collapse:collapse}th,td{text-align:left;vertical-align:top;padding:.4rem .9rem .4rem 0;border-bottom:1px solid var(--line)}th{color:var(--stone);font-weight:600}
`;
