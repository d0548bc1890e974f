/** Where an address leads: what a stranger writes into the DNS must not lead into this machine or its networks. */
import { networkInterfaces } from 'node:os';
import { contains, type IpNumber, type IpRange, parseIp, parseIpRange } from '../base/index.ts';

/** Kinds of address that are not simply a host of the Internet (RFC 6890, RFC 4291). */
export type AddressKind =
  | 'loopback'
  | 'unspecified'
  | 'link-local'
  | 'multicast'
  | 'reserved'
  /** RFC 1918, RFC 6598, RFC 4193, and what else is for networks of one's own (RFC 6890 §2.2.2, RFC 2544). */
  | 'private'
  | 'public';

const kinds: readonly (readonly [Exclude<AddressKind, 'public'>, readonly string[]])[] = [
  ['loopback', ['127.0.0.0/8', '::1']],
  ['unspecified', ['0.0.0.0/8', '::']],
  ['link-local', ['169.254.0.0/16', 'fe80::/10']],
  ['multicast', ['224.0.0.0/4', 'ff00::/8']],
  ['reserved', ['240.0.0.0/4', '100::/64']],
  [
    'private',
    [
      '10.0.0.0/8',
      '172.16.0.0/12',
      '192.168.0.0/16',
      '100.64.0.0/10',
      '192.0.0.0/24',
      '198.18.0.0/15',
      'fc00::/7',
      'fec0::/10',
    ],
  ],
];

const ranges = kinds.map(([kind, texts]) => [kind, texts.map(parseIpRange)] as const);

/** IPv6 blocks that carry an IPv4 address, and how many bits stand behind it: NAT64 (RFC 6052), SIIT (RFC 2765), 6to4 (RFC 3056), RFC 4291 §2.5.5.1. */
const carriers: readonly (readonly [IpRange, bigint])[] = [
  [parseIpRange('64:ff9b::/96'), 0n],
  [parseIpRange('64:ff9b:1::/48'), 0n],
  [parseIpRange('::ffff:0:0:0/96'), 0n],
  [parseIpRange('2002::/16'), 80n],
  [parseIpRange('::/96'), 0n],
];

/** The address that is reached in the end: `::ffff:127.0.0.1`, `64:ff9b::7f00:1` and `2002:7f00:1::` all are 127.0.0.1. */
export function reachedAddress(text: string): IpNumber {
  const address = parseIp(text);
  // ::1 and :: are addresses of their own in the block of old IPv4-compatible ones.
  if (address.family === 4 || address.value < 2n) return address;
  const carrier = carriers.find(([range]) => contains(range, address));
  if (carrier === undefined) return address;
  return { family: 4, value: (address.value >> carrier[1]) & 0xffff_ffffn };
}

export function kindOf(address: IpNumber): AddressKind {
  return ranges.find(([, list]) => list.some((range) => contains(range, address)))?.[0] ?? 'public';
}

/** What the DNS may lead to. */
export interface TargetRules {
  /** Names that are ours. */
  readonly names: ReadonlySet<string>;
  /** Our own listeners; 0.0.0.0 and :: stand for every address of the machine. */
  readonly bindings: readonly { readonly address: string; readonly port: number }[];
  /** Addresses that an administrator allows although they are not of the Internet. */
  readonly allowed: readonly IpRange[];
  /** Private addresses are refused too: who resolves externally expects none. */
  readonly refusePrivate: boolean;
  /** Addresses of this machine. Default: those of its interfaces now. */
  readonly ownAddresses?: readonly string[];
}

/** Undefined: may be connected to. 'own': leads to this machine, so mail would loop. Else what kind of address it is. */
export type AddressFault = 'own' | Exclude<AddressKind, 'public'> | undefined;

/** The check of one delivery; the addresses of the machine are looked up once. */
export class TargetCheck {
  readonly #rules: TargetRules;
  #own: ReadonlySet<bigint> | undefined;

  constructor(rules: TargetRules) {
    this.#rules = rules;
  }

  isOwnName(host: string): boolean {
    return this.#rules.names.has(host.toLowerCase());
  }

  /** RFC 5321 §5.1: whatever leads to this machine counts as own, in every spelling and whatever the bindings say. */
  fault(text: string, port: number): AddressFault {
    const address = reachedAddress(text);
    const kind = kindOf(address);
    const here = kind === 'loopback' || kind === 'unspecified' || this.#isOwn(address);
    if (this.#rules.allowed.some((range) => contains(range, address))) {
      // Named by the administrator: another server may stand beside this one, on another port.
      return here && this.#isBound(address, port) ? 'own' : undefined;
    }
    if (here) return 'own';
    if (kind === 'public' || (kind === 'private' && !this.#rules.refusePrivate)) return undefined;
    return kind;
  }

  #isOwn({ value }: IpNumber): boolean {
    this.#own ??= new Set((this.#rules.ownAddresses ?? machineAddresses()).map((text) => parseIp(text).value));
    return this.#own.has(value);
  }

  #isBound(address: IpNumber, port: number): boolean {
    return this.#rules.bindings.some((binding) => {
      if (binding.port !== port) return false;
      const bound = parseIp(binding.address);
      return bound.value === 0n || (bound.family === address.family && bound.value === address.value);
    });
  }
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ address }) => address));
}
