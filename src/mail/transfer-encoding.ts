/** Content transfer encodings that make any octets fit for a 7-bit way: RFC 2045 §6.7 and §6.8. */

export interface TransferEncoder {
  /** Octets in, lines of at most 76 characters out. */
  push(octets: Buffer): Buffer;
  end(): Buffer;
}

const widest = 76;

/** For text: lines stay lines. */
export class QuotedPrintableEncoder implements TransferEncoder {
  /** A space or tab, a CR, or both: what becomes of them depends on what follows. */
  #held = '';
  #column = 0;

  push(octets: Buffer): Buffer {
    let out = '';
    for (const octet of octets) {
      if (octet === 10) {
        out += `${this.#release(true)}\r\n`;
        this.#column = 0;
      } else if (octet === 13 && !this.#held.endsWith('\r')) this.#held += '\r';
      else {
        out += this.#release(false);
        if (octet === 32 || octet === 9 || octet === 13) this.#held = String.fromCharCode(octet);
        else out += this.#put(octet > 32 && octet < 127 && octet !== 61 ? String.fromCharCode(octet) : encoded(octet));
      }
    }
    return Buffer.from(out, 'latin1');
  }

  end(): Buffer {
    return Buffer.from(this.#release(true), 'latin1');
  }

  /** Rule 3: white space at the end of a line is encoded; a CR in the middle is an octet like others. */
  #release(lineEnds: boolean): string {
    const held = this.#held;
    this.#held = '';
    if (held === '') return '';
    const cr = held.endsWith('\r');
    const blank = cr ? held.slice(0, -1) : held;
    const first = blank === '' ? '' : this.#put(lineEnds ? encoded(blank.charCodeAt(0)) : blank);
    return cr && !lineEnds ? first + this.#put('=0D') : first;
  }

  #put(text: string): string {
    // One place is kept for the '=' of a soft line break.
    const fits = this.#column + text.length < widest;
    this.#column = (fits ? this.#column : 0) + text.length;
    return fits ? text : `=\r\n${text}`;
  }
}

function encoded(octet: number): string {
  return `=${octet.toString(16).toUpperCase().padStart(2, '0')}`;
}

const octetsPerLine = 57;

/** For everything else. */
export class Base64Encoder implements TransferEncoder {
  #rest: Buffer = Buffer.alloc(0);

  push(octets: Buffer): Buffer {
    const all = Buffer.concat([this.#rest, octets]);
    const whole = all.length - (all.length % octetsPerLine);
    this.#rest = Buffer.from(all.subarray(whole));
    return lines(all.subarray(0, whole));
  }

  end(): Buffer {
    const last = lines(this.#rest);
    this.#rest = Buffer.alloc(0);
    return last;
  }
}

function lines(octets: Buffer): Buffer {
  let out = '';
  for (let at = 0; at < octets.length; at += octetsPerLine) {
    out += `${octets.toString('base64', at, Math.min(at + octetsPerLine, octets.length))}\r\n`;
  }
  return Buffer.from(out, 'latin1');
}
