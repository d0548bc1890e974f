/** Facts of what could not be looked at: each says why. */
import {
  type Answer,
  type Facts,
  type FeatureName,
  type Features,
  featureNames,
  type NotApplicable,
  notApplicable,
  notTested,
  type ProtocolName,
  protocolNames,
  publishedProtocols,
  untestedReason,
} from './facts.ts';

export function allUntested(reason: string): Record<ProtocolName, Answer> {
  return Object.fromEntries(protocolNames.map((name) => [name, notTested(reason)])) as Record<ProtocolName, Answer>;
}

export function untestedFeatures(reason: string): Features {
  return Object.fromEntries(featureNames.map((name) => [name, notTested(reason)])) as Record<FeatureName, Answer>;
}

/** No connection came about. */
export function blindFacts(reason: string): Facts {
  const { protocols, untested } = publishedProtocols(allUntested(reason));
  return {
    protocols,
    cipherSuites: {},
    serverOrder: {},
    groups: [],
    signatureAlgorithms: [],
    untested: { ...untested, cipherSuites: reason, groups: reason, signatureAlgorithms: reason, certificates: reason },
    certificates: [],
    chain: [],
    features: untestedFeatures(reason),
    mail: { starttls: notTested(reason), greeting: '', ehloBefore: [], ehloAfter: [] },
  };
}

/** Why it is not known whether one of the versions is taken. */
export function reasonAmong(
  protocols: Record<ProtocolName, Answer>,
  names: readonly ProtocolName[],
): string | undefined {
  return names.map((name) => untestedReason(protocols[name])).find((reason) => reason !== undefined);
}

/** What is said of the sentinel where no ServerHello could hold it. */
export function withoutSentinel(protocols: Record<ProtocolName, Answer>): Answer | NotApplicable {
  const both = ['tls1_3', 'tls1_2'] as const;
  if (both.some((name) => protocols[name] === 'not-offered'))
    return notApplicable('only a server of TLS 1.3 that also takes TLS 1.2 sends it');
  return notTested(reasonAmong(protocols, both) ?? 'no ServerHello of TLS 1.2 was seen');
}
