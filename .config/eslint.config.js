import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const root = new URL('..', import.meta.url).pathname;

export default tseslint.config(
  { ignores: ['node_modules/**', '.edge/**', '.bench/**'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'certs/**/*.ts'],
    extends: [js.configs.recommended, tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    rules: {
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // An import of types alone must vanish: one that is left empty loads its module, and all that this one imports.
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true, allowNullish: true }],
      // Parts are typed by method signatures; taking one off its object is checked by the tests that call it.
      '@typescript-eslint/unbound-method': 'off',
      'no-control-regex': 'off',
      // A management method answers with parts; one that has none is a generator all the same.
      'require-yield': 'off',
      'no-constant-condition': ['error', { checkLoops: false }],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportAllDeclaration', message: 'A door lists its names one by one.' },
        { selector: 'TSEnumDeclaration', message: 'Sources are erasable TypeScript.' },
        {
          selector: 'ExportNamedDeclaration[source][exportKind="value"]:not(:has(> ExportSpecifier[exportKind="value"]))',
          message: 'Types alone are exported by `export type`, which loads nothing.',
        },
      ],
    },
  },
  // node:test returns promises that the runner itself awaits.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
);
