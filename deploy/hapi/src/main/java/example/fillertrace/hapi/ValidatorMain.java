package example.fillertrace.hapi;

import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;

/**
 * A filter from lines to lines: {@code java -cp fillertrace-hapi.jar example.fillertrace.hapi.ValidatorMain
 * [FOLDER...]}. It prints {"ready":true} and then one answer for each line of standard input.
 */
public final class ValidatorMain {

    private static final ObjectMapper JSON = new ObjectMapper();

    /** The least resource there is: validating it loads FHIR's own definitions. */
    private static final String WARM_UP = "{\"resourceType\":\"Basic\",\"code\":{\"text\":\"warm-up\"}}";

    private final ResourceValidator validator = new ResourceValidator();
    private final PrintStream output;

    private ValidatorMain(PrintStream output) {
        this.output = output;
    }

    public static void main(String[] folders) {
        ValidatorMain program = new ValidatorMain(StandardOutput.claim());
        try {
            program.open(folders);
            program.answerAll();
            System.exit(0);
        } catch (Throwable problem) {
            problem.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    private void open(String[] folders) throws IOException {
        for (String folder : folders) {
            validator.load(Path.of(folder));
        }
        validator.open();
        validator.validate(WARM_UP, List.of());
        print(JSON.createObjectNode().put("ready", true));
    }

    private void answerAll() throws IOException {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = input.readLine(); line != null; line = input.readLine()) {
            if (!line.isBlank()) {
                print(answer(line));
            }
        }
    }

    private ObjectNode answer(String line) {
        long start = System.nanoTime();
        ArrayNode issues = JSON.createArrayNode();
        boolean ok = true;
        try {
            ValidationRequest request = ValidationRequest.read(line);
            for (SingleValidationMessage message : validator.validate(request.resource(), request.profiles())) {
                issues.add(issue(message));
                ok &= message.getSeverity().compareTo(ResultSeverityEnum.ERROR) < 0;
            }
        } catch (Exception problem) {
            // A resource that the validator cannot even read is a finding, not the end of the program.
            issues.add(issue("fatal", "exception", "", problem.toString()));
            ok = false;
        }
        ObjectNode answer = JSON.createObjectNode();
        answer.put("ok", ok);
        answer.put("ms", (System.nanoTime() - start) / 1_000_000);
        answer.set("issues", issues);
        return answer;
    }

    private static ObjectNode issue(SingleValidationMessage message) {
        String severity = message.getSeverity().getCode();
        return issue(severity, message.getMessageId(), message.getLocationString(), message.getMessage());
    }

    private static ObjectNode issue(String severity, String code, String location, String message) {
        ObjectNode issue = JSON.createObjectNode();
        issue.put("severity", severity);
        issue.put("code", code == null ? "" : code);
        issue.put("location", location == null ? "" : location);
        issue.put("message", message == null ? "" : message);
        return issue;
    }

    private void print(ObjectNode line) {
        output.println(line);
        output.flush();
    }
}
