/** Which names each file exports, and which names of other files it uses, read with the compiler's parser. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
// The parser of the release before the compiler that is used: that one, in Go, has no stable API yet.
import ts from 'typescript-6';

/** Names of one file, by path below the root. */
export interface ModuleNames {
  /** Names that are exported. `isNeeded`: a type that another declaration of the file names: part of what that one says. */
  readonly exported: ReadonlyMap<string, { readonly isNeeded: boolean }>;
  /** Uses of names of other files: '*' stands for all of them. */
  readonly used: readonly { readonly file: string; readonly name: string }[];
}

/** Reads every TypeScript file below the folders. Paths are relative to `root`. */
export function readModules(root: string, folders: readonly string[]): ReadonlyMap<string, ModuleNames> {
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(folder, name)),
  );
  return new Map(files.map((file) => [file, namesOf(file, readFileSync(join(root, file), 'utf8'))]));
}

/** Names of one file with this text. */
export function namesOf(file: string, text: string): ModuleNames {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const exported = new Map<string, { isNeeded: boolean }>();
  const used: { file: string; name: string }[] = [];
  const resolve = (specifier: ts.Expression | undefined): string | undefined => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier) || !specifier.text.startsWith('.')) return;
    return normalize(join(dirname(file), specifier.text));
  };
  const counts = new Map<string, number>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) counts.set(node.text, (counts.get(node.text) ?? 0) + 1);
    else if (ts.isImportDeclaration(node)) takeImport(node, resolve(node.moduleSpecifier), used);
    else if (ts.isExportDeclaration(node)) takeExport(node, resolve(node.moduleSpecifier), exported, used);
    else if (isImportCall(node)) takeDynamic(node, resolve(node.arguments[0]), used);
    else if (ts.isImportTypeNode(node)) takeImportType(node, resolve, used);
    else if (isExported(node)) for (const name of declaredBy(node)) exported.set(name, { isNeeded: false });
    ts.forEachChild(node, visit);
  };
  visit(source);
  for (const [name, entry] of exported) entry.isNeeded = isType(source, name) && (counts.get(name) ?? 0) > 1;
  return { exported, used };
}

function takeImport(
  node: ts.ImportDeclaration,
  file: string | undefined,
  used: { file: string; name: string }[],
): void {
  if (file === undefined) return;
  const { name, namedBindings } = node.importClause ?? {};
  if (name !== undefined) used.push({ file, name: 'default' });
  if (namedBindings === undefined) return;
  if (ts.isNamespaceImport(namedBindings)) used.push({ file, name: '*' });
  else
    for (const { propertyName, name: local } of namedBindings.elements)
      used.push({ file, name: (propertyName ?? local).text });
}

function takeExport(
  node: ts.ExportDeclaration,
  from: string | undefined,
  exported: Map<string, { isNeeded: boolean }>,
  used: { file: string; name: string }[],
): void {
  if (node.exportClause === undefined || !ts.isNamedExports(node.exportClause)) {
    if (from !== undefined) used.push({ file: from, name: '*' });
    return;
  }
  for (const { propertyName, name } of node.exportClause.elements) {
    const original = (propertyName ?? name).text;
    exported.set(name.text, { isNeeded: false });
    if (from !== undefined) used.push({ file: from, name: original });
  }
}

type ImportCall = ts.CallExpression & { readonly expression: ts.ImportExpression };

function isImportCall(node: ts.Node): node is ImportCall {
  return ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword;
}

/** `(await import('./x.ts')).name` and `const { name } = await import('./x.ts')` use names; anything else all of them. */
function takeDynamic(call: ImportCall, file: string | undefined, used: { file: string; name: string }[]): void {
  if (file === undefined) return;
  let node: ts.Node = call.parent;
  while (ts.isAwaitExpression(node) || ts.isParenthesizedExpression(node)) node = node.parent;
  if (ts.isPropertyAccessExpression(node)) used.push({ file, name: node.name.text });
  else if (ts.isVariableDeclaration(node) && ts.isObjectBindingPattern(node.name))
    for (const { propertyName, name } of node.name.elements)
      used.push({ file, name: (propertyName ?? name).getText() });
  else used.push({ file, name: '*' });
}

function takeImportType(
  node: ts.ImportTypeNode,
  resolve: (specifier: ts.Expression | undefined) => string | undefined,
  used: { file: string; name: string }[],
): void {
  const literal = ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined;
  const file = resolve(literal);
  if (file === undefined) return;
  const { qualifier } = node;
  used.push({ file, name: qualifier === undefined || !ts.isIdentifier(qualifier) ? '*' : qualifier.text });
}

function isExported(node: ts.Node): node is ts.Declaration | ts.VariableStatement {
  return (
    ts.canHaveModifiers(node) &&
    ts.isSourceFile(node.parent) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
  );
}

/** Declared as a type of its own. */
function isType(source: ts.SourceFile, wanted: string): boolean {
  return source.statements.some(
    (node) => (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node)) && node.name.text === wanted,
  );
}

function declaredBy(node: ts.Node): string[] {
  if (ts.isVariableStatement(node))
    return node.declarationList.declarations.flatMap(({ name }) =>
      ts.isIdentifier(name)
        ? [name.text]
        : name.elements.map((element) => (ts.isBindingElement(element) ? element.name.getText() : '')),
    );
  if (ts.isExportAssignment(node)) return ['default'];
  const { name } = node as ts.NamedDeclaration;
  const isDefault =
    ts.canHaveModifiers(node) &&
    (ts.getModifiers(node) ?? []).some(({ kind }) => kind === ts.SyntaxKind.DefaultKeyword);
  return isDefault ? ['default'] : name === undefined ? [] : [name.getText()];
}

/** Names that are exported and that no other file takes: 'file: name'. `users`: files whose uses count. */
export function unusedExports(
  modules: ReadonlyMap<string, ModuleNames>,
  { of, users }: { readonly of: (file: string) => boolean; readonly users: (user: string, file: string) => boolean },
): string[] {
  const uses = new Map<string, Set<string>>();
  for (const [user, { used }] of modules)
    for (const { file, name } of used) {
      if (user === file || !users(user, file)) continue;
      const names = uses.get(file) ?? new Set();
      uses.set(file, names.add(name));
    }
  return [...modules].flatMap(([file, { exported }]) => {
    if (!of(file)) return [];
    const names = uses.get(file);
    return names?.has('*') === true
      ? []
      : [...exported].flatMap(([name, { isNeeded }]) =>
          isNeeded || names?.has(name) === true ? [] : [`${file}: ${name}`],
        );
  });
}
