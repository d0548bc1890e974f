/** The `edge` command. */
import './own-imports.ts';

const { edge } = await import('../main.ts');
process.exitCode = await edge(process.argv.slice(2));
