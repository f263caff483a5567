// The session with npm's fhirclient, the SMART client for JavaScript. It reads the manifest of FHIR R4.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import smart from 'fhirclient';

const [base, name, record, token] = process.argv.slice(2);
const client = smart({}, {}).client({ serverUrl: base, tokenResponse: { access_token: token } });

const created = await client.create({
  resourceType: 'Patient',
  identifier: [{ system: 'https://clients.example/mrn', value: name }],
});
const patient = await client.fhirRequest(`Patient/${created.id}`);

const entry = [0, 1, 2, 3, 4].map((number) => ({
  resource: {
    resourceType: 'Observation',
    status: 'final',
    code: { text: `observation ${number}` },
    subject: { reference: `Patient/${patient.id}` },
  },
  request: { method: 'POST', url: 'Observation' },
}));
const headers = { 'Content-Type': 'application/fhir+json' };
const response = await client.fhirRequest(base, {
  method: 'POST',
  headers,
  body: JSON.stringify({ resourceType: 'Bundle', type: 'transaction', entry }),
});

const found = [];
for await (const observation of client.resources(`Observation?patient=${patient.id}&_count=2`)) {
  found.push(observation.id);
}

const accepted = await client.fhirRequest('$correlate?_outputFormat=application/fhir%2Bndjson', {
  method: 'POST',
  headers: { ...headers, Prefer: 'respond-async' },
  body: readFileSync(record, 'utf8'),
  includeResponse: true,
});
const address = accepted.response.headers.get('Content-Location');
let polled = await client.fhirRequest(address, { includeResponse: true });
while (polled.response.status === 202) {
  await sleep(1000 * Number(polled.response.headers.get('Retry-After')));
  polled = await client.fhirRequest(address, { includeResponse: true });
}
const file = polled.body.output.find((one) => one.type === 'DiagnosticReport');
const lines = await (await client.fhirRequest(file.url, { headers: { Accept: 'application/fhir+ndjson' } })).text();
const report = await client.fhirRequest(`DiagnosticReport/${JSON.parse(lines).id}`);

console.log(JSON.stringify({
  patient: patient.id,
  created: response.entry.map((one) => one.response.location),
  found,
  report: report.id,
}));
