/** Keys out of what a terminal sends: ECMA-48 sequences as xterm, tmux and the Linux console write them. */

/** `name` is 'Enter', 'C-a', 'M-f', 'C-Right', 'S-Tab' … (C Control, M Alt, S Shift). */
export type Key =
  | { readonly kind: 'text' | 'paste'; readonly text: string }
  | { readonly kind: 'key'; readonly name: string };

const finals: Readonly<Record<string, string>> = {
  A: 'Up',
  B: 'Down',
  C: 'Right',
  D: 'Left',
  F: 'End',
  H: 'Home',
  P: 'F1',
  Q: 'F2',
  R: 'F3',
  S: 'F4',
};
const numbered: Readonly<Record<string, string>> = {
  1: 'Home',
  2: 'Insert',
  3: 'Delete',
  4: 'End',
  5: 'PageUp',
  6: 'PageDown',
  7: 'Home',
  8: 'End',
  19: 'F8',
};
const controls: Readonly<Record<string, string>> = {
  '\r': 'Enter',
  '\t': 'Tab',
  '\u007F': 'Backspace',
  '\b': 'C-Backspace',
  '\u001B': 'Escape',
  '\0': 'C-Space',
};
/** Code points that some terminals send in `CSI … u`. */
const coded: Readonly<Record<string, string>> = { 9: 'Tab', 13: 'Enter', 27: 'Escape', 127: 'Backspace' };

const pasteStart = '\u001B[200~';
const pasteEnd = '\u001B[201~';
/** A paste longer than this, in characters, is taken in parts. */
const longestPaste = 1_000_000;

/** Turns chunks of input into keys. A sequence may be split anywhere. */
export class KeyDecoder {
  #rest = '';

  /** An escape waits to be told from the beginning of a sequence: after a moment without input, call `flush`. */
  get isWaiting(): boolean {
    return this.#rest !== '' && !this.#rest.startsWith(pasteStart);
  }

  feed(chunk: string): Key[] {
    this.#rest += chunk;
    const keys: Key[] = [];
    for (let taken = this.#take(); taken !== undefined; taken = this.#take()) {
      this.#rest = this.#rest.slice(taken.length);
      if (taken.key !== undefined) keys.push(taken.key);
    }
    return keys;
  }

  /** What waited is what it looks like: Escape, and the keys behind it. */
  flush(): Key[] {
    const rest = this.#rest;
    this.#rest = '';
    const behind = rest.slice(1);
    return rest === '' ? [] : [named('Escape'), ...(behind === '' ? [] : [{ kind: 'text', text: behind } as const])];
  }

  #take(): { readonly length: number; readonly key?: Key } | undefined {
    const text = this.#rest;
    if (text === '') return undefined;
    if (text.startsWith(pasteStart)) return takePaste(text);
    if (text.startsWith('\u001B')) return takeEscape(text);
    const control = controls[text.charAt(0)];
    if (control !== undefined) return { length: 1, key: named(control) };
    const code = text.charCodeAt(0);
    if (code < 32) return { length: 1, key: named(`C-${String.fromCharCode(code + 64).toLowerCase()}`) };
    const run = /^[^\u0000-\u001F\u007F]+/.exec(text)?.[0] ?? text.charAt(0);
    return { length: run.length, key: { kind: 'text', text: run.replace(/[\u0080-\u009F]/g, '') } };
  }
}

const named = (name: string): Key => ({ kind: 'key', name });

function takePaste(text: string): { length: number; key?: Key } | undefined {
  const end = text.indexOf(pasteEnd);
  if (end < 0 && text.length < longestPaste) return undefined;
  const content = text.slice(pasteStart.length, end < 0 ? longestPaste : end);
  const length = end < 0 ? longestPaste : end + pasteEnd.length;
  const plain = content.replace(/\r\n?/g, '\n').replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, '');
  return { length, key: { kind: 'paste', text: plain } };
}

function takeEscape(text: string): { length: number; key?: Key } | undefined {
  const csi = /^\u001B\[([0-9;:<=>?]*)[ -/]*([@-~])/.exec(text);
  if (csi !== null) return withKey(csi[0].length, csiName(csi[1] ?? '', csi[2] ?? ''));
  const ss3 = /^\u001BO([A-Za-z])/.exec(text);
  if (ss3 !== null) return withKey(3, finals[ss3[1] ?? '']);
  if (/^\u001B(?:$|[[O][0-9;:<=>?]*$)/.test(text)) return undefined;
  const [next = ''] = text.slice(1);
  // Two keys in short succession: no Alt is held down with Control and a letter.
  if (next === '\u001B' || (next < ' ' && controls[next] === undefined)) return { length: 1, key: named('Escape') };
  return { length: 1 + next.length, key: named(`M-${controls[next] ?? next}`) };
}

function withKey(length: number, name: string | undefined): { length: number; key?: Key } {
  return name === undefined ? { length } : { length, key: named(name) };
}

function csiName(parameters: string, final: string): string | undefined {
  const [first = '', second = '', third = ''] = parameters.split(';');
  if (final === 'Z') return 'S-Tab';
  // xterm's modifyOtherKeys: CSI 27 ; modifier ; code ~
  if (final === '~' && first === '27') return prefixed(second, codedName(third));
  if (final === '~') return prefixed(second, numbered[first]);
  if (final === 'u') return prefixed(second, codedName(first));
  return prefixed(second, finals[final]);
}

function codedName(code: string): string | undefined {
  const number = Number(code);
  return coded[code] ?? (number > 32 && number < 0x11_0000 ? String.fromCodePoint(number).toLowerCase() : undefined);
}

/** Modifiers as xterm counts them: 1 + Shift 1 + Alt 2 + Control 4. */
function prefixed(modifier: string, name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  const bits = Math.max(0, (Number.parseInt(modifier, 10) || 1) - 1);
  return `${bits & 4 ? 'C-' : ''}${bits & 2 ? 'M-' : ''}${bits & 1 ? 'S-' : ''}${name}`;
}
