/** Which sockets of the machine listen on a port: /proc/net/tcp and tcp6 (proc(5)). */
import { readFileSync, readlinkSync } from 'node:fs';
import { type Endpoint, parseIp } from '../base/index.ts';

/** TCP_LISTEN of the kernel. */
const listening = '0A';

/** Inodes of the sockets that listen where `endpoint` would: on its address, or on all, or on any when it stands for all. */
export function listenersAt({ address, port }: Endpoint): readonly string[] {
  const v6 = address.includes(':');
  const wanted = kernelAddress(address, v6);
  const text = readFileSync(v6 ? '/proc/net/tcp6' : '/proc/net/tcp', 'latin1');
  return text
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      const [host = '', hexPort = ''] = local.split(':');
      const overlaps = host === wanted || isAny(host) || isAny(wanted);
      return state === listening && parseInt(hexPort, 16) === port && overlaps ? [inode] : [];
    });
}

/** The inode of a socket of this process. */
export function inodeOf(fd: number): string {
  return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? '';
}

const isAny = (host: string): boolean => /^0+$/.test(host);

/** As the kernel prints it: words of 32 bits in the byte order of this machine. */
function kernelAddress(address: string, v6: boolean): string {
  const hex = parseIp(address)
    .value.toString(16)
    .padStart(v6 ? 32 : 8, '0');
  const words = hex.match(/.{8}/g) ?? [];
  return words
    .map((word) => Buffer.from(word, 'hex').reverse().toString('hex'))
    .join('')
    .toUpperCase();
}
