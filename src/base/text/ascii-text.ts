/** Letters that no decomposition of Unicode makes ASCII, and signs that word processors put in. */
const spelled: ReadonlyMap<string, string> = new Map([
  ...Object.entries({ ß: 'ss', ẞ: 'SS', æ: 'ae', Æ: 'AE', œ: 'oe', Œ: 'OE', þ: 'th', Þ: 'Th', '€': 'EUR' }),
  ...Object.entries({ ø: 'o', Ø: 'O', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', ð: 'd', Ð: 'D', ı: 'i' }),
  ...Object.entries({ '‘': "'", '’': "'", '‚': "'", '“': '"', '”': '"', '„': '"', '«': '"', '»': '"' }),
  ...Object.entries({ '–': '-', '—': '-', '‐': '-', '−': '-', '\u00ad': '', '\u200b': '' }),
]);

/** Printable ASCII that reads like the text: letters lose their marks, and '?' stands for what has no like. */
export function asciiText(text: string): string {
  if (/^[ -~]*$/.test(text)) return text;
  return text
    .replace(/[^ -~]/gu, (sign) => spelled.get(sign) ?? sign)
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^ -~]/gu, '?');
}
