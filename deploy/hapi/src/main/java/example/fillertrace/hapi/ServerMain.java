package example.fillertrace.hapi;

import ca.uhn.fhir.rest.server.RestfulServer;
import java.io.PrintStream;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/** Starts the FHIR server on the loopback interface: {@code java -jar fillertrace-hapi.jar [PORT]}. */
public final class ServerMain {

    private static final String HOST = "127.0.0.1";

    private ServerMain() {}

    public static void main(String[] arguments) {
        PrintStream output = StandardOutput.claim();
        try {
            int port = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 0;
            AnnotationConfigApplicationContext context = openContext();
            Server jetty = new Server();
            ServerConnector connector = listen(jetty, port);
            jetty.setHandler(serve(context.getBean(RestfulServer.class)));
            Runtime.getRuntime().addShutdownHook(new Thread(() -> close(jetty, context)));
            jetty.start();
            output.println("READY http://" + HOST + ":" + connector.getLocalPort() + "/fhir");
            output.flush();
        } catch (Throwable problem) {
            // Spring and HAPI leave threads behind that would keep a half-started program alive.
            problem.printStackTrace();
            Runtime.getRuntime().halt(1);
        }
    }

    private static AnnotationConfigApplicationContext openContext() {
        AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
        // The beans of HAPI refer to each other in circles.
        context.setAllowCircularReferences(true);
        context.register(ServerConfiguration.class);
        context.refresh();
        return context;
    }

    private static ServerConnector listen(Server jetty, int port) {
        ServerConnector connector = new ServerConnector(jetty);
        connector.setHost(HOST);
        connector.setPort(port);
        jetty.addConnector(connector);
        return connector;
    }

    private static ServletContextHandler serve(RestfulServer fhir) {
        ServletHolder holder = new ServletHolder(fhir);
        holder.setInitOrder(1);
        ServletContextHandler handler = new ServletContextHandler();
        handler.setContextPath("/");
        handler.addServlet(holder, "/fhir/*");
        return handler;
    }

    private static void close(Server jetty, AnnotationConfigApplicationContext context) {
        try {
            jetty.stop();
        } catch (Exception problem) {
            problem.printStackTrace();
        }
        context.close();
    }
}
