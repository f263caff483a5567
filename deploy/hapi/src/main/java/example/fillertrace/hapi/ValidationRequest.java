package example.fillertrace.hapi;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * One line of the validator's input.
 *
 * @param resource the JSON text of the resource exactly as it came, never parsed and written again
 * @param profiles canonical addresses of the profiles it must meet
 */
record ValidationRequest(String resource, List<String> profiles) {

    private static final JsonFactory JSON = new JsonFactory();

    /** Reads {"resource": {...} or "JSON text", "profile": ["..."]}. */
    static ValidationRequest read(String line) throws IOException {
        String resource = null;
        List<String> profiles = new ArrayList<>();
        try (JsonParser parser = JSON.createParser(line)) {
            require(parser.nextToken() == JsonToken.START_OBJECT, "a request is a JSON object");
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                String name = parser.currentName();
                parser.nextToken();
                switch (name) {
                    case "resource" -> resource = rawText(parser, line);
                    case "profile" -> profiles.addAll(strings(parser));
                    default -> throw new IOException("unknown member of a request: " + name);
                }
            }
        }
        require(resource != null, "a request has a resource");
        return new ValidationRequest(resource, profiles);
    }

    /** An object is cut out of the line as it stands; a string holds text that need not even be JSON. */
    private static String rawText(JsonParser parser, String line) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            return parser.getText();
        }
        require(parser.currentToken() == JsonToken.START_OBJECT, "a resource is a JSON object or its text");
        int start = (int) parser.currentTokenLocation().getCharOffset();
        parser.skipChildren();
        int end = (int) parser.currentLocation().getCharOffset();
        return line.substring(start, end);
    }

    private static List<String> strings(JsonParser parser) throws IOException {
        require(parser.currentToken() == JsonToken.START_ARRAY, "profile is a list");
        List<String> strings = new ArrayList<>();
        while (parser.nextToken() == JsonToken.VALUE_STRING) {
            strings.add(parser.getText());
        }
        require(parser.currentToken() == JsonToken.END_ARRAY, "profile is a list of strings");
        return strings;
    }

    private static void require(boolean holds, String rule) throws IOException {
        if (!holds) {
            throw new IOException("not a validation request: " + rule);
        }
    }
}
