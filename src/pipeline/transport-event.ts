/** Events of one SMTP session, in the order in which they come. */
export const sessionEvents = [
  'OnConnect',
  'OnHelo',
  'OnEhlo',
  'OnStartTls',
  'OnAuth',
  'OnProcessAuthentication',
  'OnEndOfAuthentication',
  'OnXSessionParams',
  'OnMail',
  'OnRcptTo',
  'OnData',
  'OnEndOfHeaders',
  'OnProxyInboundMessage',
  'OnEndOfData',
  'OnDisconnect',
] as const;

/** Events that may come at any time between OnConnect and OnDisconnect. */
export const anyTimeEvents = ['OnHelp', 'OnNoop', 'OnReject', 'OnRset'] as const;

/** Events of the categorizer, in order. */
export const categorizerEvents = [
  'OnSubmittedMessage',
  'OnResolvedMessage',
  'OnRoutedMessage',
  'OnCategorizedMessage',
] as const;

/** Every event that an agent may be registered for, by Exchange's name. */
export type TransportEvent =
  | (typeof sessionEvents)[number]
  | (typeof anyTimeEvents)[number]
  | (typeof categorizerEvents)[number];
