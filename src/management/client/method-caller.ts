/** Calls methods where the directory is: in the running service, or in a process that has the stopped store open. */
export interface MethodCaller {
  /** Calls a method and waits for its end; parts are handed over as they come. Throws NotRunningError when nobody answers. */
  call(method: string, params: unknown, onPart?: (part: unknown) => void): Promise<unknown>;
  /** Asks for an early end when the signal comes; the call still waits for the answer. */
  callUntil(signal: AbortSignal, method: string, params: unknown, onPart: (part: unknown) => void): Promise<unknown>;
  /** Nobody answers here any more. */
  readonly isClosed: boolean;
}
