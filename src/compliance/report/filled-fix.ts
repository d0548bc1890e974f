import { parseTarget } from '../domain/targets.ts';
import type { Fix } from './fix.ts';
import { fixFor, type Missed } from './fixes.ts';
import type { Report } from './report.ts';

/** The lines that mend a miss, with what the report knows in the place of NAME, HOST, DOMAIN and the digest. */
export function filledFix(missed: Missed, report: Pick<Report, 'target' | 'facts'>): Fix | undefined {
  const fix = fixFor(missed);
  if (fix === undefined) return undefined;
  const words = wordsOf(report);
  const fill = (line: string): string => line.replaceAll(placeholder, (word) => words[word] ?? word);
  return { edge: fill(fix.edge), exchange: fill(fix.exchange), postfix: fill(fix.postfix) };
}

const placeholder = /\bDIGEST-OF-THE-KEY\b|(?<=_)PORT(?=\.)|\b(?:NAME|HOST|DOMAIN)\b/g;

function wordsOf({ target, facts }: Pick<Report, 'target' | 'facts'>): Readonly<Record<string, string>> {
  const { asked, connector, host, port } = target;
  const leaf = facts.certificates[facts.chain[0]?.certificates[0] ?? -1];
  const domain = connector === undefined ? domainOf(asked) : undefined;
  return {
    PORT: String(port),
    ...(connector === undefined ? {} : { NAME: quoted(connector) }),
    ...(host === '' ? {} : { HOST: host }),
    ...(domain === undefined ? {} : { DOMAIN: domain }),
    ...(leaf === undefined || leaf.spkiSha256 === '' ? {} : { 'DIGEST-OF-THE-KEY': leaf.spkiSha256 }),
  };
}

function domainOf(asked: string): string | undefined {
  try {
    const target = parseTarget(asked);
    return target.kind === 'domain' ? target.domain : undefined;
  } catch (error) {
    // A report may come from a file that somebody else wrote.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** As the shell takes it: in single quotes, each of its own doubled. */
function quoted(name: string): string {
  return `'${name.replaceAll("'", "''")}'`;
}
