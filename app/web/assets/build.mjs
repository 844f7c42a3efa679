// Bundles the styles and modules, copies what is served as it is, and writes the manifest of hashed names.
import { createHash } from "node:crypto";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..", "..");
const dist = join(here, "..", "static", "dist");
const target = ["chrome90", "edge90", "firefox90", "safari15"];
const manifest = {};

// Scripts by name: each becomes one file that a page asks for with asset("<name>.js").
const scripts = ["app", "viewer"];

async function keep(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const hashed = `${name.slice(0, -extname(name).length)}-${hash}${extname(name)}`;
  await mkdir(dirname(join(dist, hashed)), { recursive: true });
  await writeFile(join(dist, hashed), content);
  manifest[name] = hashed;
}

async function sprite() {
  const names = JSON.parse(await readFile(join(here, "icons.json"), "utf8"));
  const symbols = await Promise.all(
    names.map(async (name) => {
      const file = join(root, "node_modules", "@tabler", "icons", "icons", "outline", `${name}.svg`);
      const inner = (await readFile(file, "utf8"))
        .replace(/^[\s\S]*?<svg[^>]*>/, "")
        .replace(/<\/svg>\s*$/, "")
        .replace(/<path stroke="none"[^>]*\/>/, "")
        .replace(/\s+/g, " ");
      return `<symbol id="${name}" viewBox="0 0 24 24">${inner.trim()}</symbol>`;
    }),
  );
  await keep("icons.svg", `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`);
}

async function pictures() {
  for (const file of await readdir(join(here, "img"))) {
    await keep(`img/${file}`, await readFile(join(here, "img", file)));
  }
}

async function styles() {
  for (const name of (await readdir(join(here, "css"))).filter((file) => /^(app|viewer)\.css$/.test(file))) {
    const result = await build({
      entryPoints: [join(here, "css", name)],
      bundle: true,
      minify: true,
      target,
      write: false,
      outdir: dist,
      loader: { ".svg": "file", ".woff": "file", ".woff2": "file", ".ttf": "file", ".eot": "file" },
      assetNames: "img/[name]-[hash]",
      nodePaths: [join(root, "node_modules")],
    });
    await keepAll(result, name);
  }
}

async function keepAll(result, name) {
  for (const file of result.outputFiles) {
    if (basename(file.path) === name) {
      await keep(name, file.contents);
    } else {
      await mkdir(dirname(file.path), { recursive: true });
      await writeFile(file.path, file.contents);
    }
  }
}

async function modules() {
  const found = new Set(await readdir(join(here, "js")));
  for (const name of scripts.filter((script) => found.has(`${script}.js`))) {
    const result = await build({
      entryPoints: [join(here, "js", `${name}.js`)],
      bundle: true,
      minify: true,
      format: "esm",
      target,
      legalComments: "eof",
      write: false,
      outdir: dist,
      nodePaths: [join(root, "node_modules")],
    });
    await keepAll(result, `${name}.js`);
  }
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
await Promise.all([sprite(), pictures(), styles(), modules()]);
await writeFile(join(dist, "manifest.json"), JSON.stringify(manifest, Object.keys(manifest).sort(), 1));
console.log(`browser parts: ${Object.keys(manifest).length} files`);
