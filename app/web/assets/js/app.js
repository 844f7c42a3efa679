// The modules of every page. Each finds its own marks in the page and works without the others.
import htmx from "htmx.org/dist/htmx.esm.js";
import { watchBatchFiles } from "./batch-files.js";
import { watchCombos } from "./combo.js";
import { watchDialogs } from "./dialog.js";
import { watchDocuments } from "./documents.js";
import { watchDrops } from "./drops.js";
import { focusErrors } from "./focus.js";
import { watchIdentity } from "./identity.js";
import { watchKeys } from "./keys.js";
import { watchLeaving } from "./leave.js";
import { watchMaterials } from "./materials.js";
import { guardSubmits } from "./once.js";
import { watchPickers } from "./pickers.js";
import { watchPrint } from "./print.js";
import { watchTables } from "./tables.js";
import { watchTabs } from "./tabs.js";
import { watchTextSize } from "./text-size.js";
import { watchUploads } from "./upload.js";
import { watchDecisions, watchWorkbench } from "./workbench.js";

window.htmx = htmx;
document.documentElement.classList.add("js");

const perPart = [watchCombos, watchPickers, watchIdentity, watchTables, focusErrors, watchTabs, watchUploads, watchWorkbench];
for (const start of [watchBatchFiles, watchDialogs, watchDocuments, watchDrops, watchKeys, watchLeaving, watchMaterials, guardSubmits, watchPrint, watchTextSize, watchDecisions]) {
  start();
}
for (const start of perPart) {
  start(document);
}
htmx.onLoad((part) => {
  if (part !== document.body) {
    for (const start of perPart) {
      start(part);
    }
  }
});
