/**
 * The catalogue of decisions. Each is a value made where the decision is taken; logs, tracking and `edge why` only read them.
 * Adding a kind means adding it here and giving it a sentence in `sentences.ts`.
 */

/** Why something was passed over, for the reader who expected it. */
export interface PassedOver {
  readonly name: string;
  readonly reason: string;
}

interface Kinds {
  /** A connection was accepted and given to a receive connector. */
  'connector-chosen': {
    readonly connector: string;
    readonly binding: string;
    readonly range: string;
    readonly local: string;
    readonly remote: string;
    readonly passedOver: readonly PassedOver[];
  };
  /** No connector matched, or a limit was reached: the connection was refused. */
  'connection-refused': {
    readonly local: string;
    readonly remote: string;
    readonly reply: string;
    readonly reason: string;
  };
  'session-closed': { readonly reason: string };
  /** A line of the conversation; emitted only when the connector's ProtocolLoggingLevel is Verbose. Never a secret, never a body. */
  'protocol-line': {
    readonly direction: 'receive' | 'send';
    readonly connector: string;
    readonly local: string;
    readonly remote: string;
    readonly event: '+' | '-' | '>' | '<' | '*';
    readonly data: string;
    readonly context: string;
  };
  'right-checked': {
    readonly right: string;
    readonly principal: string;
    readonly granted: boolean;
    /** The access control entry that decided, or why none did. */
    readonly by: string;
  };
  'certificate-chosen': {
    readonly purpose: string;
    readonly wanted: string;
    readonly thumbprint: string;
    readonly subject: string;
    readonly reason: string;
    readonly passedOver: readonly PassedOver[];
  };
  'tls-reached': {
    readonly direction: 'receive' | 'send';
    readonly protocol: string;
    readonly cipher: string;
    readonly level: string;
    readonly peer: string;
    /** What was demanded and by what: connector, TLSA records, STS policy. */
    readonly demanded?: string;
    /** The certificate that came. */
    readonly certificate?: string;
  };
  /** Whether the client is a server of the organization by its key; `server` is '' when it is none, and `reason` says why. */
  'direct-trust': {
    readonly server: string;
    /** SHA-256 of its public key, base64url; '' where none came. */
    readonly key: string;
    readonly reason: string;
  };
  /** The issuers of the peer's certificate were asked; 'unknown': nobody answered. */
  'revocation-checked': {
    readonly direction: 'receive' | 'send';
    readonly peer: string;
    readonly state: 'good' | 'revoked' | 'unknown';
    readonly reason: string;
  };
  'tls-failed': {
    readonly direction: 'receive' | 'send';
    readonly reason: string;
    readonly consequence: string;
    readonly demanded?: string;
    readonly certificate?: string;
  };
  'sender-accepted': { readonly from: string };
  /** Recipients of one transaction that are taken for the same reason; `at` is when the last of them was. */
  'recipients-accepted': { readonly recipients: readonly string[]; readonly because: string };
  /** A command was refused; `command` is the verb with its argument, never a secret. */
  'command-refused': { readonly command: string; readonly reply: string; readonly reason: string };
  /** An agent changed the message or its recipients; each change in words. */
  'agent-changed': { readonly agent: string; readonly changes: readonly string[] };
  /** An agent decided on a command or on content that is being received; for the agent log alone. */
  'agent-acted': {
    readonly local: string;
    readonly remote: string;
    readonly from: string;
    /** '' where it is about no single one. */
    readonly recipient: string;
    readonly recipients: number;
    readonly agent: string;
    /** Exchange's name of the event: 'OnRcptCommand'. */
    readonly on: string;
    readonly action: string;
    readonly reply: string;
    readonly reason: string;
  };
  /** An agent of the categorizer ended the way of a message, or made it wait. */
  'agent-decided': {
    readonly guid: string;
    readonly messageId: string;
    readonly subject: string;
    readonly from: string;
    readonly recipients: readonly string[];
    readonly size: number;
    readonly agent: string;
    readonly action: 'reject' | 'defer' | 'discard';
    readonly reason: string;
    /** '' but for 'reject'. */
    readonly reply: string;
  };
  'message-queued': {
    readonly guid: string;
    readonly messageId: string;
    readonly subject: string;
    readonly from: string;
    readonly recipients: readonly string[];
    readonly size: number;
    readonly reply: string;
    readonly connector: string;
    readonly clientIp: string;
    /** Where it came from before own servers (InternalSMTPServers) had it; absent: from `clientIp`. */
    readonly originalClient?: string;
    readonly clientName: string;
    readonly serverIp: string;
    /** 'SMTP' or 'DSN'. */
    readonly source: string;
    /** Messages that this one speaks of (a DSN): their Message-IDs. */
    readonly reference: string;
  };
  'route-chosen': {
    readonly recipients: readonly string[];
    readonly hop: string;
    readonly connector: string;
    readonly because: string;
    readonly passedOver: readonly PassedOver[];
  };
  /** The next hop takes less than the message has: what was changed in its content, and which signatures no longer hold. */
  'content-converted': {
    readonly host: string;
    readonly changes: readonly string[];
    readonly broken: readonly string[];
  };
  'connection-opened': { readonly hop: string; readonly host: string; readonly remote: string; readonly local: string };
  'connection-failed': { readonly hop: string; readonly host: string; readonly reason: string };
  'connection-closed': {
    readonly hop: string;
    readonly host: string;
    readonly messages: number;
    readonly bytes: number;
  };
  delivered: Delivery;
  deferred: Delivery & { readonly retryAt: number };
  failed: Delivery;
  'message-expired': { readonly recipients: readonly string[] };
  notification: {
    readonly action: 'failed' | 'delayed' | 'delivered' | 'relayed';
    readonly to: string;
    readonly recipients: readonly string[];
    /** Why no report was sent; '' when one was. */
    readonly suppressed: string;
    /** Message-ID of the report; '' when none was written. What became of it is told under its own id. */
    readonly report: string;
  };
  /** Something changed in a queue that an administrator would want to know. */
  'queue-state': { readonly hop: string; readonly status: string; readonly reason: string; readonly retryAt: number };
  'configuration-applied': { readonly usn: number; readonly problems: readonly string[] };
}

interface Delivery {
  readonly guid: string;
  readonly messageId: string;
  readonly subject: string;
  readonly from: string;
  readonly recipients: readonly string[];
  /** One for each recipient: the reply of the next hop or the reason. */
  readonly replies: readonly string[];
  readonly size: number;
  readonly hop: string;
  readonly connector: string;
  readonly remote: string;
  readonly local: string;
  readonly attempt: number;
}

export type EventKind = keyof Kinds;

/** Common to all: when (ms since 1970), in which session, about which message (internal id; 0: none). */
export interface EventHead {
  readonly at: number;
  readonly session: string;
  readonly message: number;
}

export type EventOf<K extends EventKind> = EventHead & { readonly kind: K } & Kinds[K];
export type DecisionEvent = { [K in EventKind]: EventOf<K> }[EventKind];

/** Where decisions go. Emitting never throws and never waits. */
export interface Journal {
  emit(event: DecisionEvent): void;
}
