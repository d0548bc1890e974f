/** What a remote domain asks of the content of messages to it. */
import type { RemoteDomain } from '../../config/index.ts';

/** What a remote domain says of content. */
export interface ContentForm {
  readonly characterSet: string | null;
  readonly nonMimeCharacterSet: string | null;
  /** RequiredCharsetCoverage; null: all of it. */
  readonly coverage: number | null;
  /** PreferredInternetCodePageForShiftJis. */
  readonly shiftJis: string;
  /** ByteEncoderTypeFor7BitCharsets. */
  readonly encoder: string;
  /** Infinity: as it is. */
  readonly lineWrapSize: number;
  readonly contentType: string;
}

/** Undefined: messages go as they came. */
export function contentFormOf(domain: RemoteDomain): ContentForm | undefined {
  const form: ContentForm = {
    characterSet: domain.characterSet,
    nonMimeCharacterSet: domain.nonMimeCharacterSet,
    coverage: domain.requiredCharsetCoverage,
    shiftJis: domain.preferredInternetCodePageForShiftJis,
    encoder: domain.byteEncoderTypeFor7BitCharsets,
    lineWrapSize: domain.lineWrapSize,
    contentType: domain.contentType,
  };
  const asks =
    form.characterSet !== null ||
    form.nonMimeCharacterSet !== null ||
    form.shiftJis !== 'Undefined' ||
    form.encoder !== 'Undefined' ||
    form.lineWrapSize !== Number.POSITIVE_INFINITY ||
    form.contentType !== 'MimeHtmlText';
  return asks ? form : undefined;
}
