// The session with npm's fhir-kit-client. It reads the batch-response Bundle of FHIR R5.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'fhir-kit-client';

const [base, name, record, token] = process.argv.slice(2);
const client = new Client({ baseUrl: base, bearerToken: token });

const created = await client.create({
  resourceType: 'Patient',
  body: { resourceType: 'Patient', identifier: [{ system: 'https://clients.example/mrn', value: name }] },
});
const patient = await client.read({ resourceType: 'Patient', id: created.id });

const entry = [0, 1, 2, 3, 4].map((number) => ({
  resource: {
    resourceType: 'Observation',
    status: 'final',
    code: { text: `observation ${number}` },
    subject: { reference: `Patient/${patient.id}` },
  },
  request: { method: 'POST', url: 'Observation' },
}));
const response = await client.transaction({ body: { resourceType: 'Bundle', type: 'transaction', entry } });

const found = [];
let page = await client.search({ resourceType: 'Observation', searchParams: { patient: patient.id, _count: 2 } });
while (page) {
  found.push(...(page.entry ?? []).map((one) => one.resource.id));
  page = await client.nextPage({ bundle: page });
}

const accepted = await client.operation({
  name: 'correlate',
  input: JSON.parse(readFileSync(record, 'utf8')),
  options: { headers: { Prefer: 'respond-async' } },
});
const address = Client.httpFor(accepted).response.headers.get('Content-Location');
let polled = await client.request(address);
while (Client.httpFor(polled).response.status === 202) {
  await sleep(1000 * Number(Client.httpFor(polled).response.headers.get('Retry-After')));
  polled = await client.request(address);
}
const result = polled.entry[0].resource;
const report = await client.read({ resourceType: 'DiagnosticReport', id: result.entry[0].resource.id });

console.log(JSON.stringify({
  patient: patient.id,
  created: response.entry.map((one) => one.response.location),
  found,
  report: report.id,
}));
