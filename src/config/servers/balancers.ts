/** Balancers that send PROXY headers, each for one binding: `0.0.0.0:25=10.0.0.5`. */
import { formatEndpoint, type IpRange, parseIpRange } from '../../base/index.ts';
import { type Binding, parseBinding } from '../properties/network-syntaxes.ts';
import type { Syntax } from '../properties/property.ts';
import { list } from '../properties/syntaxes.ts';

/** Who sends PROXY headers to a binding. */
export interface Balancer {
  readonly binding: Binding;
  readonly range: IpRange;
}

function parseBalancer(text: string): Balancer {
  const [, binding = '', range = ''] = /^([^=]+)=(.+)$/.exec(text.trim()) ?? [];
  if (range === '') throw new RangeError(`'${text}' is not of the form 0.0.0.0:25=10.0.0.5`);
  return { binding: parseBinding(binding.trim()), range: parseIpRange(range.trim()) };
}

const formatBalancer = ({ binding, range }: Balancer): string => `${formatEndpoint(binding)}=${range.text}`;

/** A list of them. */
export const balancers: Syntax<readonly Balancer[]> = list(parseBalancer, formatBalancer);
