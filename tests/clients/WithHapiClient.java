import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.rest.api.MethodOutcome;
import ca.uhn.fhir.rest.client.api.IGenericClient;
import ca.uhn.fhir.rest.client.exceptions.NonFhirResponseException;
import ca.uhn.fhir.rest.client.interceptor.BearerTokenAuthInterceptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.DiagnosticReport;
import org.hl7.fhir.r4.model.Observation;
import org.hl7.fhir.r4.model.Parameters;
import org.hl7.fhir.r4.model.Patient;

/** The session with HAPI's generic client for Java. It reads the batch-response Bundle of FHIR R5. */
public class WithHapiClient {

  public static void main(String[] arguments) throws Exception {
    String name = arguments[1];
    FhirContext context = FhirContext.forR4();
    IGenericClient client = context.newRestfulGenericClient(arguments[0]);
    client.registerInterceptor(new BearerTokenAuthInterceptor(arguments[3]));

    Patient patient = new Patient();
    patient.addIdentifier().setSystem("https://clients.example/mrn").setValue(name);
    MethodOutcome created = client.create().resource(patient).execute();
    String id = client.read().resource(Patient.class).withId(created.getId().getIdPart()).execute().getIdPart();

    Bundle transaction = new Bundle().setType(Bundle.BundleType.TRANSACTION);
    for (int number = 0; number < 5; number++) {
      Observation observation = new Observation().setStatus(Observation.ObservationStatus.FINAL);
      observation.getCode().setText("observation " + number);
      observation.getSubject().setReference("Patient/" + id);
      transaction.addEntry().setResource(observation).getRequest()
          .setMethod(Bundle.HTTPVerb.POST).setUrl("Observation");
    }
    Bundle response = client.transaction().withBundle(transaction).execute();
    List<String> locations = response.getEntry().stream()
        .map(entry -> entry.getResponse().getLocation()).collect(Collectors.toList());

    List<String> found = new ArrayList<>();
    Bundle page = client.search().forResource(Observation.class).where(Observation.PATIENT.hasId(id))
        .count(2).returnBundle(Bundle.class).execute();
    while (page != null) {
      page.getEntry().forEach(entry -> found.add(entry.getResource().getIdElement().getIdPart()));
      page = page.getLink(Bundle.LINK_NEXT) == null ? null : client.loadPage().next(page).execute();
    }

    Parameters input = new Parameters();
    input.addParameter().setName("bundle")
        .setResource(context.newJsonParser().parseResource(Bundle.class, Files.readString(Path.of(arguments[2]))));
    MethodOutcome accepted = client.operation().onServer().named("$correlate").withParameters(input)
        .withAdditionalHeader("Prefer", "respond-async").returnMethodOutcome().execute();
    String address = accepted.getFirstResponseHeader("content-location").orElseThrow();
    Bundle ended = null;
    while (ended == null) {
      try {
        ended = client.fetchResourceFromUrl(Bundle.class, address);
      } catch (NonFhirResponseException empty) { // 202: nothing to read yet
        if (empty.getStatusCode() != 202) {
          throw empty;
        }
        Thread.sleep(1000);
      }
    }
    Bundle result = (Bundle) ended.getEntryFirstRep().getResource();
    String reportId = result.getEntryFirstRep().getResource().getIdElement().getIdPart();
    DiagnosticReport report = client.read().resource(DiagnosticReport.class).withId(reportId).execute();

    System.out.println("{\"patient\": \"" + id + "\", \"created\": " + list(locations) + ", \"found\": " + list(found)
        + ", \"report\": \"" + report.getIdElement().getIdPart() + "\"}");
  }

  private static String list(List<String> words) {
    return words.stream().map(word -> '"' + word + '"').collect(Collectors.joining(", ", "[", "]"));
  }
}
