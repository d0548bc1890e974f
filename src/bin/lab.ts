/** The demonstration of `make start`. */
import { lab } from '../lab/index.ts';

process.exitCode = await lab(process.argv.slice(2));
