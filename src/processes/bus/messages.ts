/** What the supervisor and its processes say to each other. What passes through it to the workers is known above. */
import { flag, list, maybe, nothing, oneOf, record, text, unread, whole } from '../../base/index.ts';
import type { Binding } from '../listen-sockets.ts';
import type { Message, MessageTable } from './bus.ts';

/** How one binding stands, for `edge status`. */
export interface BindingState {
  readonly binding: string;
  readonly use: Binding['use'];
  /** Every worker listens. */
  readonly open: boolean;
  /** Why it cannot be opened; '' when it is, and while it was not tried yet. */
  readonly fault: string;
}

export interface ProcessState {
  readonly name: string;
  /** 0 while it is down. */
  readonly pid: number;
  readonly restarts: number;
}

export interface SupervisorState {
  readonly pid: number;
  readonly bindings: readonly BindingState[];
  readonly processes: readonly ProcessState[];
}

/** A request for every worker. */
export interface FanOutRequest {
  readonly name: string;
  readonly argument: unknown;
}

/** What one worker answered. */
export interface FanOutAnswer {
  readonly worker: string;
  readonly result?: unknown;
  readonly error?: string;
}

/** A name and a password that an SMTP client gave, or its certificate. */
export interface LogonQuestion {
  readonly name: string;
  /** In base64. */
  readonly password: string;
  /** In base64 of DER; '' where it is about the password. */
  readonly certificate: string;
  /** Of the SMTP client. */
  readonly address: string;
}

export interface LogonOutcome {
  /** 'unavailable': it cannot be said now. */
  readonly kind: 'accepted' | 'refused' | 'unavailable';
  /** The account as logs show it; '' unless accepted. */
  readonly name: string;
  /** Who it is, and in which groups; none unless accepted. */
  readonly sids: readonly string[];
}

/** Characters of a certificate, and SIDs of an account with its groups: Windows itself takes no more than 1,024. */
const mostCertificateText = 32_768;
const mostSids = 1_024;

const checkLogon: Message<LogonQuestion, LogonOutcome> = {
  argument: record<LogonQuestion>({
    name: text(1024),
    password: text(8192),
    certificate: text(mostCertificateText),
    address: text(64),
  }),
  answer: record<LogonOutcome>({
    kind: oneOf('accepted', 'refused', 'unavailable'),
    name: text(1024),
    sids: list(text(200), mostSids),
  }),
};

/** Bindings that a configuration may name, in all. */
const mostBindings = 1_024;

const bindingShape = record<Binding>({
  address: text(64),
  port: whole(1, 65_535),
  use: oneOf('smtp', 'https'),
});
const notice: Message<undefined, undefined> = { argument: nothing, answer: nothing };
const told = <A>(argument: Message<A, undefined>['argument']): Message<A, undefined> => ({ argument, answer: nothing });

/** Every process → the supervisor; all but `ready` are heard from the directory process alone, and `check-logon` from the workers. */
export const toSupervisor = {
  /** Everything is set up. */
  ready: notice,
  /** The addresses that the configuration names now. */
  bindings: told(list(bindingShape, mostBindings)),
  /** The directory is at this update: every worker reads it anew. */
  changed: told(whole()),
  'certificates-changed': notice,
  /** The secret of session tickets, in base64: every worker seals them with it from now on, those that start later too. */
  'ticket-secret': told(text(100)),
  'supervisor-status': {
    argument: nothing,
    answer: record<SupervisorState>({
      pid: whole(),
      bindings: list(
        record<BindingState>({ binding: text(80), use: oneOf('smtp', 'https'), open: flag, fault: text() }),
      ),
      processes: list(record<ProcessState>({ name: text(40), pid: whole(), restarts: whole() })),
    }),
  },
  /** Is passed on to the directory process, which has the accounts. */
  'check-logon': checkLogon,
  /** Asks every worker the same, and gives back what each said. */
  'fan-out': {
    argument: record<FanOutRequest>({ name: text(64), argument: maybe(unread) }),
    answer: list(
      record<FanOutAnswer>({
        worker: text(40),
        result: maybe(unread),
        error: maybe(text()),
      }),
    ),
  },
} satisfies MessageTable;

/** The supervisor → every process. */
export const toProcess = {
  stop: notice,
  'reopen-logs': notice,
  /** Sockets come as handles. */
  listen: told(bindingShape),
  unlisten: told(bindingShape),
  changed: told(whole()),
  'certificates-changed': notice,
  'ticket-secret': told(text(100)),
  /** To the directory process. */
  'check-logon': checkLogon,
} satisfies MessageTable;

export type ToSupervisor = typeof toSupervisor;
export type ToProcess = typeof toProcess;
