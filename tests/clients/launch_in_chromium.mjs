// A page with npm's fhirclient is opened in Chromium, a person logs in, and the page asks for what it may see and may not.

import { chromium } from 'playwright-core';

const [program, app, base, login, code, ...foreign] = process.argv.slice(2);
const flags = ['--disable-quic', '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']; // no word to another host
const browser = await chromium.launch({ executablePath: program, args: flags, chromiumSandbox: false });
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  await page.goto(`${app}?iss=${encodeURIComponent(base)}`);
  await page.fill('input[name=login]', login);
  await page.fill('input[name=password]', 'any');
  await page.click('button:text("Sign-in")');
  await page.click('button:text("Continue")'); // the app may have what it asks for
  await page.waitForURL(`${app}?**`);
  const seen = await page.evaluate(look, { code, foreign });
  console.log(JSON.stringify({ ...seen, asked: asked.filter((url) => url.startsWith(base)) }));
} finally {
  await browser.close();
}

// What runs in the page.
async function look({ code, foreign }) {
  const client = await shown; // of the page
  const patient = await client.patient.read();
  const names = async (search) => {
    const found = await client.request(search, { pageLimit: 0, flat: true });
    return found.map((resource) => `${resource.resourceType}/${resource.id}`);
  };
  const refusal = (request) => client.request(request).then(
    () => null,
    (error) => [error.status, JSON.parse(error.message.slice(error.message.indexOf('\n\n'))).issue[0].code],
  );
  const types = ['Patient', 'Procedure', 'ImagingStudy', 'Observation', 'DiagnosticReport'];
  const [report] = await names(`DiagnosticReport?patient=${patient.id}&code=${encodeURIComponent(code)}`);
  const observation = { resourceType: 'Observation', status: 'final', code: { text: 'x' } };
  const stranger = await fetch(`${client.state.serverUrl}/${report}`, { headers: { Authorization: 'Bearer x' } });
  return {
    patient: patient.id,
    report: (await client.request(report)).id,
    seen: (await Promise.all(types.map(names))).flat(),
    foreign: await Promise.all(foreign.map(refusal)),
    writing: await refusal({
      url: 'Observation',
      method: 'POST',
      headers: { 'Content-Type': 'application/fhir+json' },
      body: JSON.stringify({ ...observation, subject: { reference: `Patient/${patient.id}` } }),
    }),
    stranger: [stranger.status, (await stranger.json()).issue[0].code],
    conclusion: document.getElementById('conclusion').textContent,
    challenge: stranger.headers.get('WWW-Authenticate'),
  };
}
