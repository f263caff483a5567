package example.fillertrace.hapi;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.SingleValidationMessage;
import ca.uhn.fhir.validation.ValidationOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.UnknownCodeSystemWarningValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/** HAPI's validator over base FHIR R4 and our own definitions; it never asks a network. */
final class ResourceValidator {

    private final FhirContext fhir = FhirContext.forR4();
    private final PrePopulatedValidationSupport definitions = new PrePopulatedValidationSupport(fhir);
    private FhirValidator validator;

    /** Adds every JSON resource below the folder: StructureDefinition, ValueSet, CodeSystem and others. */
    void load(Path folder) throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.walk(folder)) {
            files = found.filter(file -> file.toString().endsWith(".json")).sorted().toList();
        }
        for (Path file : files) {
            try {
                definitions.addResource(fhir.newJsonParser().parseResource(Files.readString(file)));
            } catch (RuntimeException problem) {
                throw new IOException("Cannot load the definition " + file, problem);
            }
        }
    }

    /** Builds the validator; call it after the last {@link #load}. */
    void open() {
        FhirInstanceValidator module = new FhirInstanceValidator(supportChain());
        // Otherwise a reference to the wrong kind of resource passes ("Device/1" where a Patient belongs).
        module.setAssumeValidRestReferences(true);
        validator = fhir.newValidator().registerValidatorModule(module);
    }

    private ValidationSupportChain supportChain() {
        UnknownCodeSystemWarningValidationSupport unknownSystems =
                new UnknownCodeSystemWarningValidationSupport(fhir);
        return new ValidationSupportChain(
                definitions,
                new DefaultProfileValidationSupport(fhir),
                new CommonCodeSystemsTerminologyService(fhir),
                new InMemoryTerminologyServerValidationSupport(fhir),
                unknownSystems,
                new SnapshotGeneratingValidationSupport(fhir));
    }

    /** Validates raw JSON text: a parsed resource would already have lost its unknown elements. */
    List<SingleValidationMessage> validate(String resource, List<String> profiles) {
        ValidationOptions options = new ValidationOptions();
        profiles.forEach(options::addProfile);
        return validator.validateWithResult(resource, options).getMessages();
    }
}
