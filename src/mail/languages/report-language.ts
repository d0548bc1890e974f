/** The texts of a report in one language, as the rest of the room uses them. */
import type { ReportKind } from '../report-request.ts';
import type { english } from './english.ts';

/** Wording of a kind: prefix of the subject (Exchange's), first sentence, last paragraph. */
export interface ReportWording {
  readonly subject: string;
  readonly opening: string;
  readonly closing: string;
}

/** Subject and detail of a status (RFC 3463), the subject alone, or 'other'. */
export type AdviceKey = keyof typeof english.advice;

export interface ReportLanguage {
  /** RFC 5646, the language alone: 'de'. */
  readonly tag: string;
  readonly kinds: Readonly<Record<ReportKind, ReportWording>>;
  readonly triedUntil: (date: string) => string;
  readonly reason: string;
  readonly said: (host: string) => string;
  readonly yourMessage: string;
  readonly subject: string;
  readonly accepted: string;
  readonly madeBy: (host: string) => string;
  readonly advice: Readonly<Record<AdviceKey, string>>;
}
