/** Which language a report is written in: RFC 3282 §2 and §3, RFC 4647 §3.4. */
import { HeaderBlock } from './header-block.ts';
import { english } from './languages/english.ts';
import { french } from './languages/french.ts';
import { german } from './languages/german.ts';
import type { ReportLanguage } from './languages/report-language.ts';
import { spanish } from './languages/spanish.ts';
import type { ReportKind } from './report-request.ts';

const languages: readonly ReportLanguage[] = [english, german, french, spanish];

/** Languages that there are texts in, as their tags. */
export const reportLanguages: readonly string[] = languages.map(({ tag }) => tag);

/** Ranges of a field that are looked at. */
const mostRanges = 20;

/** The texts for a tag such as de-AT; English where there are none. */
export function languageOf(tag: string): ReportLanguage {
  return find(tag) ?? english;
}

function find(range: string): ReportLanguage | undefined {
  const [language = ''] = range.trim().toLowerCase().split('-', 1);
  return languages.find(({ tag }) => tag === language);
}

/**
 * The language that the sender of a message reads: what it asks replies to be in (Accept-Language), else the language of the message
 * (Content-Language). Undefined: nothing is said, or nothing that there are texts in.
 */
export function languageOfSender(header: Buffer): string | undefined {
  const block = new HeaderBlock(header);
  const accepted = ranges(block.first('accept-language') ?? '');
  const written = ranges(block.first('content-language') ?? '');
  return [...accepted, ...written].map(find).find((one) => one !== undefined)?.tag;
}

/** Language ranges of a field, those of the greatest weight first. */
function ranges(value: string): readonly string[] {
  return value
    .split(',', mostRanges)
    .map((item) => {
      const [range = '', ...parameters] = item.split(';');
      const weight = parameters.map((one) => /^\s*q\s*=\s*([01](?:\.\d{0,3})?)\s*$/i.exec(one)?.[1]).find(Boolean);
      return { range, weight: Number(weight ?? 1) };
    })
    .filter(({ weight }) => weight > 0)
    .toSorted((a, b) => b.weight - a.weight)
    .map(({ range }) => range);
}

/** One or two sentences for a status such as '5.1.1'; '' when there is nothing to advise. */
export function adviceFor({ advice }: ReportLanguage, kind: ReportKind, status: string): string {
  if (kind !== 'failed') return '';
  const texts: Readonly<Record<string, string>> = advice;
  const [, subject = '', detail = ''] = status.split('.');
  return texts[`${subject}.${detail}`] ?? texts[subject] ?? advice.other;
}
