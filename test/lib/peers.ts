/** Which real peers are there, and what a suite says when one is missing: with CI=true that is a failure, never a skip. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Python with Debian's modules. */
export const python = '/usr/bin/python3';

const paths: Readonly<Record<string, string>> = {
  swaks: '/usr/bin/swaks',
  postfix: '/usr/lib/postfix/sbin/master',
  'posttls-finger': '/usr/sbin/posttls-finger',
  'smtp-source': '/usr/sbin/smtp-source',
  'smtp-sink': '/usr/sbin/smtp-sink',
  dovecot: '/usr/sbin/dovecot',
  exim: '/var/cache/edge-peers/usr/sbin/exim4',
  tmux: '/usr/bin/tmux',
  ldapsearch: '/usr/bin/ldapsearch',
  openssl: '/usr/bin/openssl',
  slapd: '/usr/sbin/slapd',
  selfserv: '/usr/bin/selfserv',
  'python3-dkim': '/usr/lib/python3/dist-packages/dkim/__init__.py',
  'python3-seccomp': '/usr/share/doc/python3-seccomp/copyright',
  'systemd-analyze': '/usr/bin/systemd-analyze',
  'gnutls-serv': '/usr/bin/gnutls-serv',
  pebble: '/usr/bin/pebble',
  nsd: '/usr/sbin/nsd',
  nginx: '/usr/lib/nginx/modules/ngx_mail_module.so',
  unbound: '/usr/sbin/unbound',
  'ldns-signzone': '/usr/bin/ldns-signzone',
  'systemd-notify': '/usr/bin/systemd-notify',
};

/**
 * Options for `test()`: skips with the reason when a peer is missing or root is needed, unless CI=true.
 * Then the test runs and fails by itself.
 */
export function needs(...peers: string[]): { skip: string | false } {
  const missing = peers.filter((peer) =>
    peer === 'root' ? process.getuid?.() !== 0 : !existsSync(paths[peer] ?? '/nonexistent'),
  );
  if (missing.length === 0 || process.env['CI'] === 'true') return { skip: false };
  return { skip: `needs ${missing.join(', ')}: run 'make peers' as root` };
}

/** Runs swaks; gives its status and transcript. */
export function swaks(...args: string[]): { status: number; text: string } {
  try {
    return {
      status: 0,
      text: execFileSync('swaks', ['--timeout', '20', ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      }),
    };
  } catch (error) {
    const failure = error as { status: number; stdout: string; stderr: string };
    return { status: failure.status, text: failure.stdout + failure.stderr };
  }
}
