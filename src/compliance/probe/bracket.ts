import { Untested } from '../facts/untested.ts';
import type { HelloAnswer, HelloExchange, HelloOffer } from './hello-exchange.ts';

/**
 * Lets no refusal count that does not stand between two successes. An endpoint that limits rates, or went away, refuses
 * too: this is where testers report what they did not see.
 */
export class Bracket {
  readonly #exchange: HelloExchange;
  /** A hello that was accepted before. */
  #control: HelloOffer | undefined;
  #lastAccepted = false;
  #within = false;

  constructor(exchange: HelloExchange) {
    this.#exchange = exchange;
  }

  /** Whether any hello was accepted yet. */
  get hasControl(): boolean {
    return this.#control !== undefined;
  }

  /** Sends a hello. Throws Untested. */
  async ask(offer: HelloOffer): Promise<HelloAnswer> {
    const answer = await this.#exchange.ask(offer);
    this.#lastAccepted = answer.kind === 'accepted';
    if (this.#lastAccepted) this.#control ??= offer;
    return answer;
  }

  /**
   * Runs probes; resolves with their result if the endpoint answered a control hello just before and just after.
   * Throws Untested otherwise. Within other such probes, those hellos are the outer ones'.
   */
  async between<T>(probes: () => Promise<T>): Promise<T> {
    if (this.#within) return probes();
    if (this.#control !== undefined) await this.#confirm();
    this.#within = true;
    let result: T;
    try {
      result = await probes();
    } finally {
      this.#within = false;
    }
    await this.#confirm();
    return result;
  }

  /** Something was refused that is no hello of ours: the next confirmation asks again. */
  noteRefusal(): void {
    this.#lastAccepted = false;
  }

  /** One control hello, unless the last hello was accepted. */
  async #confirm(): Promise<void> {
    if (this.#lastAccepted) return;
    if (this.#control === undefined) throw new Untested('no hello was accepted, so refusals prove nothing', false);
    const answer = await this.#exchange.ask(this.#control);
    this.#lastAccepted = answer.kind === 'accepted';
    if (answer.kind === 'refused')
      throw new Untested(`the endpoint stopped answering hellos that it took before: ${answer.how}`);
  }
}
