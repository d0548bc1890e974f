/** Subjects of new certificates and requests: names with the string types that they are to be written in. */
import { type DistinguishedName, parseName } from '../tls/index.ts';
import type { NameSteps } from './certificate-builder.ts';
import { CertificateError } from './certificate-error.ts';

/** RFC 5280 appendix A.1: what is not UTF8String. */
const stringTypes: Readonly<Record<string, 'printable' | 'ia5'>> = {
  '2.5.4.6': 'printable',
  '2.5.4.5': 'printable',
  '0.9.2342.19200300.100.1.25': 'ia5',
  '1.2.840.113549.1.9.1': 'ia5',
};

/** Throws CertificateError for characters that a part does not take. */
export function nameSteps(name: DistinguishedName): NameSteps {
  return name.map((step) =>
    step.map(({ oid, value }) => {
      const type = stringTypes[oid];
      if (type !== undefined && !/^[ -~]*$/.test(value))
        throw new CertificateError(`'${value}' has characters that this part of a name does not take`);
      return type === undefined ? { oid, value } : { oid, value, type };
    }),
  );
}

/** A subject from its text. Throws CertificateError. */
export function subjectFrom(text: string): DistinguishedName {
  try {
    const name = parseName(text);
    nameSteps(name);
    return name;
  } catch (cause) {
    if (cause instanceof RangeError) throw new CertificateError(cause.message, { cause });
    throw cause;
  }
}
