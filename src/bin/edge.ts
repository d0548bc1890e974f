/** The `edge` command. */
import { edge } from '../main.ts';

process.exitCode = await edge(process.argv.slice(2));
