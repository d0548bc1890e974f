/** The directory process. */
import { runDirectoryService } from '../services/directory/index.ts';

await runDirectoryService();
