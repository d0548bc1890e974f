/** A line to set for each of three servers. HOST, DOMAIN, NAME and the like stand for what the reader knows. */
export interface Fix {
  readonly edge: string;
  readonly exchange: string;
  readonly postfix: string;
}

export function same(line: string): Fix {
  return { edge: line, exchange: line, postfix: line };
}

/** Each line with the server that it is for; one without where all are the same. */
export function fixLines({ edge, exchange, postfix }: Fix): readonly (readonly [server: string, line: string])[] {
  if (edge === exchange && edge === postfix) return [['mend', edge]];
  return [
    ['Edge', edge],
    ['Exchange', exchange],
    ['Postfix', postfix],
  ];
}
