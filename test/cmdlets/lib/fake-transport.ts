import type { MessageInfo, QueueInfo, TransportAdministration, WorkerResource } from '../../../src/cmdlets/index.ts';
import type { TrackingQuestion } from '../../../src/logs/index.ts';

const queue = (number: string, facts: Partial<QueueInfo>): QueueInfo => ({
  identity: `EDGE1\\${number}`,
  deliveryType: 'DnsConnectorDelivery',
  nextHopDomain: 'example.com',
  nextHopConnector: 'To the Internet',
  tlsDomain: '',
  status: 'Ready',
  messageCount: 0,
  deferredMessageCount: 0,
  lastError: '',
  retryCount: 0,
  lastRetryTime: null,
  nextRetryTime: null,
  firstRetryTime: null,
  incomingRate: 0.5,
  outgoingRate: 0.25,
  ...facts,
});

const message = (identity: string, facts: Partial<MessageInfo>): MessageInfo => ({
  identity: `EDGE1\\${identity}`,
  queue: `EDGE1\\${identity.split('\\')[0] ?? ''}`,
  status: 'Ready',
  subject: 'Hello',
  internetMessageId: '<1@example.com>',
  fromAddress: 'a@example.com',
  size: 4096,
  sourceIP: '127.0.0.1',
  messageSourceName: 'SMTP:Default',
  scl: -1,
  dateReceived: new Date('2026-01-01T00:00:00Z'),
  expirationTime: new Date('2026-01-03T00:00:00Z'),
  lastError: '',
  retryCount: 0,
  recipients: [{ address: 'b@example.org', status: 'Ready', lastError: '' }],
  ...facts,
});

/** Remembers what it was asked to do. */
export class FakeTransport implements TransportAdministration {
  readonly done: string[] = [];
  query: TrackingQuestion | undefined;
  /** How scarce one resource is. */
  scarce: WorkerResource['level'] = 'Medium';

  async queues() {
    return [
      queue('Submission', { deliveryType: 'Undefined', nextHopDomain: 'Submission' }),
      queue('3', { status: 'Retry', messageCount: 12, lastError: '451 later' }),
      queue('4', { messageCount: 2, nextHopDomain: '[127.0.0.1]', deliveryType: 'SmartHostConnectorDelivery' }),
    ];
  }

  async messages() {
    return [
      message('3\\11', { size: 10 }),
      message('3\\12', {
        fromAddress: 'c@example.net',
        size: 5_000_000,
        dateReceived: new Date('2026-01-02T00:00:00Z'),
      }),
      message('4\\13', { status: 'Suspended', size: 99 }),
    ];
  }

  async actOnQueues(...call: Parameters<TransportAdministration['actOnQueues']>) {
    this.done.push(JSON.stringify(call));
  }

  async actOnMessages(...call: Parameters<TransportAdministration['actOnMessages']>) {
    this.done.push(JSON.stringify(call));
  }

  async redirect(smartHosts: readonly string[]) {
    this.done.push(JSON.stringify(['redirect', smartHosts]));
    return 2;
  }

  async exportMessage(identity: string) {
    return Buffer.from(`Subject: ${identity}\r\n\r\n`);
  }

  async *tracking(query: TrackingQuestion) {
    this.query = query;
    for (const EventId of ['RECEIVE', 'SEND', 'FAIL']) yield [['EventId', EventId] as const];
  }

  /** What endpoints say, by 'address:port'; others refuse. */
  readonly greetings = new Map([['127.0.0.1:25', '220 edge1.example.net Microsoft ESMTP MAIL Service ready']]);

  async greet({ address, port }: { readonly address: string; readonly port: number }) {
    const greeting = this.greetings.get(`${address}:${port}`);
    if (greeting === undefined) throw new Error(`connect ECONNREFUSED ${address}:${port}`);
    return greeting;
  }

  /** Endpoints that cannot be opened. */
  readonly taken: string[] = [];

  async bindingFaults(bindings: readonly string[]) {
    return this.taken.filter((one) => bindings.includes(one)).map((one) => `${one} cannot be bound`);
  }

  async resources(): Promise<readonly WorkerResource[]> {
    const transitions = 'LowToMedium:72, MediumToHigh:75, HighToMedium:73, MediumToLow:71';
    const one = { level: this.scarce, previous: 'Low', pressure: 72.54, transitions } as const;
    return [{ worker: 'worker 0', resource: 'PrivateBytes', ...one }];
  }

  async pipeline() {
    return [{ event: 'OnConnectEvent', agents: ['Connection Filtering Agent'] }];
  }
}
