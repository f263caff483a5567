package example.fillertrace.hapi;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Keeps standard output for the lines that the Python side reads. */
final class StandardOutput {

    private StandardOutput() {}

    /**
     * Returns the real standard output and sends everything else that prints there to standard error:
     * some libraries below print progress with System.out.
     */
    static PrintStream claim() {
        PrintStream claimed =
                new PrintStream(new FileOutputStream(FileDescriptor.out), false, StandardCharsets.UTF_8);
        System.setOut(System.err);
        return claimed;
    }
}
