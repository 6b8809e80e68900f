import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import okhttp3.OkHttpClient;
import okhttp3.Request;
import okhttp3.Response;
import okhttp3.WebSocket;
import okhttp3.WebSocketListener;

public final class OkHttpWebSocket extends WebSocketListener {
  private static final OkHttpClient CLIENT = new OkHttpClient();
  private static final ScheduledExecutorService TIMER = Executors.newScheduledThreadPool(1);
  private static String cursor = Told.AFTER;
  private static int failures = 0;

  public static void main(String[] args) {
    connect();
  }

  private static void connect() {
    Request request =
        new Request.Builder()
            .url(Told.URL + "/websocket")
            .header("Sec-WebSocket-Protocol", "keywire.v1")
            .header("Authorization", "Bearer " + Told.KEY)
            .header("Last-Event-ID", cursor)
            .build();
    CLIENT.newWebSocket(request, new OkHttpWebSocket());
  }

  private static void comeBack() {
    TIMER.schedule(OkHttpWebSocket::connect, Told.backoff(failures++), TimeUnit.MILLISECONDS);
  }

  @Override
  public void onOpen(WebSocket socket, Response response) {
    failures = 0;
    Told.say("is", "open");
  }

  @Override
  public void onMessage(WebSocket socket, String frame) {
    cursor = Told.cursorOf(frame);
    Told.say("is", "frame", "text", frame);
  }

  @Override
  public void onClosing(WebSocket socket, int code, String reason) {
    socket.close(1000, null); // or it would never be closed
    Told.say("is", "closed", "code", code);
    if (code == 4403) System.exit(0);
    comeBack();
  }

  @Override
  public void onFailure(WebSocket socket, Throwable error, Response response) {
    if (response == null) Told.say("is", "closed", "message", error);
    else Told.say("is", "refused", "status", response.code());
    if (response != null && response.code() == 403) System.exit(0);
    comeBack();
  }
}
