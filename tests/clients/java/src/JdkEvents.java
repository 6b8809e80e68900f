import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Iterator;
import java.util.stream.Stream;

public final class JdkEvents {
  public static void main(String[] args) throws InterruptedException {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    String cursor = Told.AFTER;
    for (int failures = 0; ; failures++) {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(Told.URL + "/events"))
              .header("Accept", "text/event-stream, application/problem+json")
              .header("Authorization", "Bearer " + Told.KEY)
              .header("Last-Event-ID", cursor)
              .build();
      try {
        HttpResponse<Stream<String>> response = client.send(request, BodyHandlers.ofLines());
        if (response.statusCode() != 200) {
          Told.say("is", "refused", "status", response.statusCode());
          if (response.statusCode() == 403) return;
          Thread.sleep(Told.backoff(failures));
          continue;
        }
        Told.say("is", "open");
        String id = "", name = "message", data = "";
        for (Iterator<String> lines = response.body().iterator(); lines.hasNext(); ) {
          String line = lines.next();
          if (line.startsWith("id: ")) id = line.substring(4);
          if (line.startsWith("event: ")) name = line.substring(7);
          if (line.startsWith("data: ")) data = line.substring(6);
          if (!line.isEmpty()) continue;
          cursor = id;
          failures = 0;
          if (!name.equals("heartbeat")) {
            Told.say("is", "event", "name", name, "id", id, "text", data);
          }
          name = "message";
        }
        Told.say("is", "closed");
      } catch (IOException | RuntimeException error) {
        Told.say("is", "closed", "message", error);
      }
      Thread.sleep(Told.backoff(failures));
    }
  }
}
