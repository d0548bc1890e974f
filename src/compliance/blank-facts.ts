/** Facts of what could not be looked at: each says why. */
import {
  type Answer,
  type Facts,
  type FeatureName,
  type Features,
  featureNames,
  notTested,
  type ProtocolName,
  protocolNames,
  publishedProtocols,
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
