import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.WebSocket;
import java.net.http.WebSocketHandshakeException;
import java.util.concurrent.CompletionException;

public final class JdkWebSocket implements WebSocket.Listener {
  public static void main(String[] args) {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    try {
      client
          .newWebSocketBuilder()
          .subprotocols("keywire.v1")
          .header("Authorization", "Bearer " + Told.KEY)
          .buildAsync(
              URI.create(Told.URL.replace("http", "ws") + "/websocket"), new JdkWebSocket())
          .join();
      Told.say("is", "open");
      Thread.sleep(Long.MAX_VALUE);
    } catch (CompletionException error) {
      if (error.getCause() instanceof WebSocketHandshakeException refusal) {
        Told.say("is", "refused", "status", refusal.getResponse().statusCode());
      } else Told.say("is", "error", "message", error.getCause());
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    }
  }
}
