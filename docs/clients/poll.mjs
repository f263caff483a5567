// Follows a status address of Fillertrace to its end, in whichever dialect the kick-off asked for. Node 20, no packages.
//
// node poll.mjs STATUS_URL            prints the resources of the result, one per line
// node poll.mjs --cancel STATUS_URL   gives it up

import { pathToFileURL } from 'node:url';

const TRANSIENT = new Set([429, 502, 503, 504]);
const ACCEPT = 'application/fhir+json, application/json;q=0.9, */*;q=0.1';

/** It came to nothing: the HTTP status, and the OperationOutcome that says why. */
export class Failed extends Error {
  constructor(status, outcome) {
    super(`${status}: ${outcome.issue[0].details.text}`);
    this.outcome = outcome;
  }
}

/** One request. fetch follows a 303 by itself. */
function ask(url, token, method = 'GET') {
  const authorization = token ? { Authorization: `Bearer ${token}` } : {};
  return fetch(url, { method, headers: { Accept: ACCEPT, ...authorization } });
}

/** The resources of the result, as an array. Throws Failed, also when it was cancelled or has expired. */
export async function poll(url, { token, patienceSeconds = 3600 } = {}) {
  const end = Date.now() + patienceSeconds * 1000;
  while (Date.now() < end) {
    const answer = await ask(url, token);
    const running = answer.status === 202 || (answer.headers.get('X-Export-Status') ?? '').startsWith('202');
    if (running || TRANSIENT.has(answer.status)) {
      await answer.arrayBuffer();
      const seconds = Number.parseInt(answer.headers.get('Retry-After') ?? '', 10) || 5;
      await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
      continue;
    }
    let said = await answer.json();
    if (!answer.ok || said.resourceType === 'OperationOutcome') {
      throw new Failed(answer.headers.get('X-Export-Status') ?? answer.status, said);
    }
    if (said.output) { // FHIR R4: a manifest of files
      const files = await Promise.all([...said.output, ...said.error].map(async (file) => (await ask(file.url, token)).text()));
      return files.flatMap((text) => text.split('\n').filter(Boolean).map((line) => JSON.parse(line)));
    }
    if (said.type === 'batch-response' && !answer.redirected) { // FHIR R5: the answer is in a Bundle
      const { response, resource } = said.entry[0];
      if (!response.status.startsWith('2')) throw new Failed(response.status, response.outcome);
      said = resource;
    }
    // With async-result=redirect the answer itself came, by 303.
    return said.type === 'collection' ? said.entry.map((entry) => entry.resource) : [said];
  }
  throw new Error(`no result after ${patienceSeconds} seconds`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [first, second] = process.argv.slice(2);
  if (first === '--cancel') process.exit((await ask(second, undefined, 'DELETE')).status === 202 ? 0 : 1);
  try {
    for (const resource of await poll(first)) console.log(JSON.stringify(resource));
  } catch (failed) {
    console.error(failed.message);
    process.exit(1);
  }
}
