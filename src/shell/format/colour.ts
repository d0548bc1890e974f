/** Colours of the terminal (ECMA-48 SGR). Used only where a terminal shows the text. */
const codes = {
  red: 91,
  yellow: 93,
  green: 92,
  blue: 94,
  magenta: 95,
  cyan: 96,
  white: 97,
  grey: 90,
  bold: 1,
} as const;

export type Colour = keyof typeof codes;

/** Puts a text without line breaks into a colour. */
export function paint(colour: Colour, text: string, enabled: boolean): string {
  return enabled && text.trim() !== '' ? `\u001B[${codes[colour]}m${text}\u001B[0m` : text;
}
