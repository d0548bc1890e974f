/**
 * Imports of the program's own files. They name a file as it is, './name.ts', so nothing need be looked for; Node asks the disk for
 * each whether it is there, where its links lead, and what the nearest package.json makes of it, which is a fifth of the processor
 * time of a start. Everything else, packages above all, is resolved by Node. An entry imports this file first, and the rest
 * dynamically.
 */
import { registerHooks } from 'node:module';

registerHooks({
  resolve(specifier, context, next) {
    const { parentURL } = context;
    if (parentURL === undefined || !/^\.\.?\/.*\.ts$/.test(specifier)) return next(specifier, context);
    return { url: new URL(specifier, parentURL).href, format: 'module-typescript', shortCircuit: true };
  },
});
