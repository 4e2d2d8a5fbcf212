// The one module that every page loads; what only some pages need is loaded when such a page asks for it.
import { copyButtons } from "./modules/copy.js";
import { fragmentTokens } from "./modules/fragment.js";
import { localTimes } from "./modules/times.js";
import { formComforts } from "./modules/forms.js";
import { menus, presentWay, themeButtons } from "./modules/frame.js";

localTimes(document);
copyButtons(document);
themeButtons();
menus();
presentWay();
formComforts();
fragmentTokens();
if (document.querySelector("[data-live-stream]")) import("./modules/live.js").then(({ follow }) => follow());
if (document.querySelector("[data-refresh-every]")) import("./modules/refresh.js").then(({ keepFresh }) => keepFresh());
if (document.querySelector("[data-job]")) import("./modules/job.js").then(({ followJobs }) => followJobs());
if (document.querySelector("[data-enrol]")) import("./modules/enrol.js").then(({ enrolment }) => enrolment());
