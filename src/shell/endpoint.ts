/**
 * What a prompt, a script runner or a web console needs of a shell that may live in another process. A transport
 * (unix socket, HTTPS) forwards these two calls; nothing here holds a function that must cross it except `ask`,
 * which the transport turns into a question and an answer.
 */

/** A question that a cmdlet puts before it acts (-Confirm), or a value that it needs. */
export interface Question {
  readonly caption: string;
  readonly message: string;
  /** Choices such as '&Yes'; the letter after & is the answer's short form. Empty: free text is asked for. */
  readonly choices: readonly string[];
  /** Index of the choice taken for an empty answer. */
  readonly defaultChoice: number;
  /** The answer must not be echoed. */
  readonly secret?: boolean;
}

export interface RunOptions {
  /** Columns of the terminal; tables and lists fit into it. */
  readonly width: number;
  /** Escape sequences for colour are allowed. */
  readonly colour: boolean;
  /** Ends the line's work. */
  readonly signal?: AbortSignal;
  /** Answers a question: index of the choice as text, or the free text. Absent: nobody is there to ask. */
  readonly ask?: (question: Question) => Promise<string>;
  /** Name of the script that the text comes from, shown in error positions. */
  readonly file?: string;
}

/** One piece of what a line prints. Texts end with a line break unless they are to be continued. */
export type ShellOutput =
  | { readonly kind: 'text' | 'error' | 'warning' | 'verbose'; readonly text: string }
  | {
      readonly kind: 'progress';
      readonly activity: string;
      readonly status: string;
      /** 0–100; absent when the end is not known; `done` takes the line away. */
      readonly percent?: number;
      readonly done?: boolean;
    }
  /** Always the last piece. `ok` is false when any error was written: exit status 1. */
  | { readonly kind: 'end'; readonly ok: boolean };

export type CandidateKind = 'cmdlet' | 'alias' | 'parameter' | 'value' | 'variable' | 'property' | 'identity';

export interface Candidate {
  /** What stands in the line when the candidate is taken, quoted if it must be. */
  readonly text: string;
  readonly kind: CandidateKind;
  /** A few words: type of a parameter, purpose of a cmdlet. */
  readonly hint?: string;
}

/** What may stand between `from` and `to` of the line. */
export interface Completion {
  readonly from: number;
  readonly to: number;
  readonly candidates: readonly Candidate[];
  /** What is wanted at the cursor in a few words, or what is wrong with the command so far. */
  readonly about?: string;
}

/** A session of the management shell: variables live from one call to the next. */
export interface ShellEndpoint {
  run(text: string, options: RunOptions): AsyncIterable<ShellOutput>;
  complete(text: string, cursor: number): Promise<Completion>;
}
