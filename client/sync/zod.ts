import * as z from "zod/mini";

// Without this zod probes for `new Function`, which the page's
// Content-Security-Policy forbids and the browser reports as a violation.
z.config({ jitless: true });

export { z };
