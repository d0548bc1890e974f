/** The directory process. */
import '../services/directory/index.ts';
